# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose modules answer as they like: what reaches the terminal, and the other hosts."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.hostile_host import EVIL, FAKE, INFO, TEXT
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    ROOT,
    run_playbook,
    write_inventory,
)


class Fleet:
    """A playbook, run for this machine under several names."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path

    def run(self, playbook: Path, answers: dict[str, Any], **variables: Any) -> tuple[int, str]:
        """By the names of hosts, what modules answer there. Exit status, and what was printed."""
        hosts = {
            name: {"ansible_connection": "hostile", "hostile_answers": json.dumps(of_host)}
            for name, of_host in answers.items()
        }
        inventory = write_inventory(self.tmp_path / "hosts.json", kernel_targets={"hosts": hosts})
        done = run_playbook(
            playbook,
            inventory=inventory,
            variables={"trial_lock_file": str(self.tmp_path / "lock"), **variables},
            ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        )
        return done.status, done.output

    def play(self, *tasks: dict[str, Any]) -> Path:
        path = self.tmp_path / "play.json"
        path.write_text(
            json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
        )
        return path


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def check_safe(text: str) -> str:
    """Nothing that a terminal obeys, and no line that a host has made up."""
    bad = {
        one
        for one in text
        if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    }
    where = [line for line in text.split("\n") if bad & set(line)]
    assert not bad, (bad, where[:5])
    assert not re.search(rf"^{re.escape(FAKE)}", text, re.MULTILINE), text
    return text


# --- the terminal -------------------------------------------------------------------------------


def test_a_table_of_checks(fleet: Fleet) -> None:
    """playbooks/verify.yml, for a host that answers everything it is asked with such texts."""
    checks = [
        {"name": TEXT, "ok": True, "expected": TEXT, "actual": TEXT, "detail": TEXT},
        {"name": "sysname", "ok": False, "expected": "x", "actual": TEXT, "tolerance": TEXT},
    ]
    manifest = {"release": "6.8", "build_id": f"0123456789ab{EVIL}", "banner": TEXT}
    syscall_info = {"release": TEXT, "manifest": manifest, "checks": checks, "manifest_path": TEXT}
    complaint = {"kind": "warn", "name": TEXT, "count": 3, "seconds": 5, "lines": [TEXT, TEXT]}
    syscall_info["kernel_log"] = {
        **{"complete": False, "sources": [TEXT], "problem": "", "records": 1, "dropped": 9},
        **{"complaints": [complaint], "tainted": 1 << 9, "baseline": None},
    }
    lost = {"kind": "unit", "name": TEXT, "before": TEXT, "now": TEXT, "state": "lost"}
    syscall_info["health"] = {
        **{"problem": "", "release": "6.1", "age": 1, "system": TEXT, "seconds": 1},
        **{"changes": [lost], "dropped": 0, "unread": []},
    }
    sizes = {
        "release": TEXT,
        "sizes": {"image": 1, "initrd": 1, "modules": 1},
        "stock_release": TEXT,
        "stock_sizes": {"image": 1, "initrd": 1, "modules": 1},
    }
    files = {"checks": checks, "method": "dpkg", "reason": TEXT, "sizes": sizes}
    evil = {"syscall_info": syscall_info, "kernel_files": files}
    fine = json.loads(json.dumps(evil).replace(json.dumps(TEXT), '"fine"'))
    fine["syscall_info"]["manifest"]["build_id"] = "0" * 64
    status, printed = fleet.run(
        ROOT / "playbooks/verify.yml",
        {"evil": evil, "fine": fine},
        # The release that is asked for is the host's own.
        verify_store="",
        verify_expected_release="",
    )
    text = check_safe(printed)
    assert status != 0
    assert "\\x1b]52;c;eA==\\x07" in text
    assert "FAILED" in text
    assert re.search(r"^fine +: .*failed=1", text, re.MULTILINE)


def test_a_deployment_that_fails(fleet: Fleet) -> None:
    """playbooks/deploy.yml, which says at its end why a host did not confirm the kernel."""
    lock = {"deploy_lock": {"held": False}}
    failed = {"failed": True, "msg": TEXT}
    cases = {
        "with packages for": {"host_kernel_info": INFO},
        "release is": {"host_kernel_info": {**INFO, "release": TEXT}},
        "kept back": {"host_kernel_info": {**failed, "warnings": [TEXT]}},
        "a traceback": {"host_kernel_info": {**failed, "exception": TEXT}},
        "the deployment lock is held by": {
            "deploy_lock": {"by": {"text": TEXT, "run": TEXT, "seconds": 5}}
        },
        "a lock": {"deploy_lock": failed},
    }
    hosts = {f"evil{number}": {**lock, **case} for number, case in enumerate(cases.values())}
    status, printed = fleet.run(
        ROOT / "playbooks/deploy.yml",
        hosts,
        publish_result={"release": "6.8-x", "version": "1"},
        trial_timeout=60,
        trial_recover_timeout=30,
        # By default the first host that fails would end it.
        deploy_serial="100%",
    )
    text = check_safe(printed)
    assert status != 0
    for name in hosts:
        assert f"{name}: the kernel was not confirmed." in text
    for message in ("with packages for", "release is", "lock is held by"):
        assert message in text


def test_modules_that_fail(fleet: Fleet) -> None:
    answer = {"failed": True, "msg": TEXT, "warnings": [TEXT], "stdout": EVIL}
    names = ["boot_entry", "kexec_load", "kernel_modules", "kernel_files", "syscall_info"]
    names += ["apt_removal_info", "apt_update"]
    tasks = [
        {"block": [{f"oslab.kernel.{name}": {}}], "rescue": [{"ansible.builtin.meta": "noop"}]}
        for name in names
    ]
    _status, printed = fleet.run(fleet.play(*tasks), {"evil": dict.fromkeys(names, answer)})
    text = check_safe(printed)
    assert re.search(rf"^evil +: .*rescued={len(names)}", text, re.MULTILINE)


# --- the other hosts ----------------------------------------------------------------------------


def test_an_answer_of_another_form_fails_its_host_alone(fleet: Fleet) -> None:
    """Whatever is done later with the answers of all."""
    fine = {**INFO, **{name: "x" for name, value in INFO.items() if value == TEXT}}
    odd = {"host_kernel_info": {**fine, "modules": 7, "trusted_certificates": "x"}}
    look = {"oslab.kernel.host_kernel_info": {}, "register": "kernel_target_info"}
    unite = {
        "ansible.builtin.debug": {
            "msg": "LOADED {{ {} | oslab.kernel.collected_hardware(hostvars, "
            "groups.kernel_targets) }}"
        },
        "run_once": True,
    }
    status, printed = fleet.run(
        fleet.play(look, unite), {"odd": odd, "fine": {"host_kernel_info": fine}}
    )
    text = check_safe(printed)
    assert status != 0
    assert "odd gave an answer to oslab.kernel.host_kernel_info that the module never gives" in text
    assert "LOADED {" in text
    assert re.search(r"^fine +: .*failed=0", text, re.MULTILINE)


def test_a_target_that_would_refuse_the_kernel_is_left_out(fleet: Fleet) -> None:
    """Before the waves: in the first one it would be the last."""
    answers = {"deploy_lock": {"failed": True, "msg": "reached"}}
    secure = {**INFO, "secure_boot": True, "trusted_certificates": []}
    hosts = {
        "secure": {**answers, "host_kernel_info": secure},
        **dict.fromkeys(("one", "two"), answers),
    }
    status, printed = fleet.run(
        ROOT / "playbooks/deploy.yml",
        hosts,
        publish_result={"release": "6.8-x", "version": "1"},
        deploy_serial=1,
        deploy_max_fail_percentage=100,
        trial_timeout=60,
        trial_recover_timeout=30,
    )
    text = " ".join(check_safe(printed).split())
    assert status != 0
    assert "secure is left out of this deployment. secure enforces Secure Boot" in text
    assert "one: the kernel was not confirmed." in text
    assert "secure: the kernel was not confirmed." not in text
