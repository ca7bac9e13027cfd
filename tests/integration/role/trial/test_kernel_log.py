# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel of a trial boot complains of fails it, unless the fallback kernel did so, too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_log
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    ROOT,
    run_playbook,
    write_inventory,
)
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    FALLBACK,
    RELEASE,
    answers,
    deploy,
    needs_simulation,
    reported,
    verify,
)

WARN = {
    "kind": "warn",
    "name": "at lib/refcount.c:# refcount_warn_saturate",
    "count": 1,
    "seconds": 7,
    "lines": ["WARNING: CPU: 1 PID: 312 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"],
}
# The same one, of another kernel.
EARLIER = {**WARN, "lines": ["WARNING: CPU: 0 PID: 9 at lib/refcount.c:22 refcount_warn_saturate"]}


def log(*complaints: Any, **more: Any) -> dict[str, Any]:
    return {
        **{"complete": True, "sources": ["/dev/kmsg"], "problem": "", "records": 700},
        **{"dropped": 0, "tainted": 0, "complaints": [*complaints], "baseline": None},
        **more,
    }


def test_the_verdict_of_verify(tmp_path: Path) -> None:
    known = kernel_log.baseline(log(EARLIER), FALLBACK)
    nothing = kernel_log.baseline(log(), FALLBACK)
    allowed = {"verify_log_allowed": [{"pattern": "lib/refcount", "reason": "a known fault"}]}
    cases: dict[str, tuple[Any, dict[str, Any], str]] = {
        "fresh": (log(WARN, baseline=nothing), {}, "| 1 new"),
        "same": (log(WARN, baseline=known), {}, "none (1 as before)"),
        "allowed": (log(WARN, baseline=nothing), allowed, "none (1 allowed)"),
        "alone": (log(WARN), {}, "none (1 less severe, no baseline)"),
        "off": (None, {"verify_log": False}, ""),
        "unreadable": (log(problem="it cannot be read"), {}, "unknown"),
    }
    hosts = {
        name: {"hostile_answers": answers(kernel_log=of_log), **variables}
        for name, (of_log, variables, _shown) in cases.items()
    }
    done = verify(tmp_path, hosts)
    failed = re.findall(r"^(\w+) +: .*failed=1", done.output, re.MULTILINE)
    assert failed == ["fresh"], done.output
    text = " ".join(done.output.split())
    assert "kernel log, warn: expected none, read WARNING: CPU: 1 PID: 312" in text
    for name, (_log, _variables, shown) in cases.items():
        table = done.output.partition(f"{name} ({RELEASE})")[2].partition("\n\n")[0]
        assert shown in table, (name, table)
    found = reported(tmp_path)
    states = {
        name: [(one["kind"], one["state"], one["fails"]) for one in host["log"]["complaints"]]
        for name, host in found.items()
    }
    assert ("warn", "new", True) in states["fresh"]
    assert ("warn", "before", False) in states["same"]
    assert ("warn", "allowed", False) in states["allowed"]
    assert states["off"] == []
    assert found["fresh"]["log"]["complaints"][0]["lines"] == WARN["lines"]


def test_which_log_is_the_baseline(tmp_path: Path) -> None:
    """That of the fallback kernel, if it runs before the trial boot; or else the record."""
    recorded = {"release": "6.0", "tainted": 0, "complaints": []}
    facts: dict[str, Any] = {"release": FALLBACK, "kernel_log": log(EARLIER), "install_record": {}}
    facts["boot_id"] = "1"
    before = {
        **{"install_running": False, "trial_fallback": FALLBACK, "install_record": {}},
        **{"install_image": "linux-image-x=1", "trial_result": {"rebooted": True}},
    }
    record = {"install_record": {"kernel_log": recorded}}
    cases: dict[str, tuple[dict[str, Any], Any]] = {
        "fallback": ({**before, **record, "install_host_facts": facts}, FALLBACK),
        "other": ({**before, **record, "install_host_facts": {**facts, "release": "6.6"}}, "6.0"),
        "trial": (
            {**before, "install_running": True, **record, "install_host_facts": facts},
            "6.0",
        ),
        "unknown": ({**before, "install_running": True, "install_host_facts": facts}, "none"),
        "off": ({**before, "install_host_facts": {**facts, "kernel_log": None}}, "none"),
    }
    hosts = {name: variables for name, (variables, _release) in cases.items()}
    role = {"name": "oslab.kernel.trial", "tasks_from": "unlock", "rolespec_validate": False}
    tasks = [
        {"ansible.builtin.import_role": role, "when": False},
        {
            "ansible.builtin.debug": {
                "msg": "BASELINE {{ inventory_hostname }} "
                "{{ trial_log_baseline.release | default('none') }} "
                "{{ trial_record_changes.kernel_log.release | default('none') }} ENDS"
            }
        },
    ]
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    done = run_playbook(
        book, inventory=write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": hosts})
    )
    found = re.findall(r"BASELINE (\w+) (\S+) (\S+) ENDS", done.output)
    # Recorded at the confirmation, too: the packages may have been there before.
    wanted = [(name, release, release) for name, (_variables, release) in cases.items()]
    assert sorted(found) == sorted(wanted), done.output


def test_a_log_that_is_not_judged_is_not_gathered(tmp_path: Path) -> None:
    (task,) = yaml.safe_load((ROOT / "roles/install/tasks/gather.yml").read_text())
    asked = task["oslab.kernel.host_kernel_info"]["kernel_log"]
    hosts = {
        "judged": {"install_gathers_log": True},
        "off": {"install_gathers_log": True, "verify_log": "false"},
        "later": {},
    }
    message = f"ASKED {{{{ inventory_hostname }}}} {asked} ENDS"
    tasks = [{"ansible.builtin.debug": {"msg": message}}]
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    done = run_playbook(
        book, inventory=write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": hosts})
    )
    found = dict(re.findall(r"ASKED (\w+) (\w+) ENDS", done.output))
    assert found == {"judged": "True", "off": "False", "later": "False"}, done.output


@pytest.mark.long
@needs_simulation
@pytest.mark.parametrize("before", [False, True])
def test_a_deployment(before: bool) -> None:
    """All of playbooks/deploy.yml; only the answers of the host's modules are made up."""
    changes = {"stock": [EARLIER] if before else [], "new": [WARN]}
    status, output, record = deploy(changes)
    assert record["kernel_log"]["release"].startswith("6.1.0-")
    assert record["confirmed"] is before, output
    assert (status == 0) is before, output
    if not before:
        text = " ".join(output.split())
        assert "web0: the kernel was not confirmed." in text
        assert "kernel log, warn: expected none, read WARNING: CPU: 1 PID: 312" in text
