# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails in a confirmation: before its record the trial boot has failed, after it nothing has.

The hosts are this machine, and their modules give prepared answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.oslab.kernel.plugins.action import trial_evidence_info
from ansible_collections.oslab.kernel.tests.lib.many_hosts import Said, play, run_plays
from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT

RELEASE, FALLBACK = "6.12.1-x", "6.1.0"
IMAGE = f"linux-image-{RELEASE}=1"
BOOTS = ("00000000-0000-0000-0000-000000000000", "11111111-1111-1111-1111-111111111111")
LOADER: dict[str, Any] = {
    **{"changed": True, "loader": "grub", "releases": [RELEASE, FALLBACK], "entry": ""},
    **{"options": "", "default_entry": "", "default_release": RELEASE, "next_entry": ""},
    **{"honours_default": True, "default_problem": "", "trial_problem": "", "needs_kexec": ""},
    **{"entry_problems": {}, "entry_command": "update-grub"},
}
NO_EVIDENCE: dict[str, Any] = {
    **trial_evidence_info.NOTHING,
    "kept_by": {"journal": True, "pstore": "", "kdump": False},
}


def role(part: str) -> dict[str, Any]:
    name = {"name": "oslab.kernel.trial", "tasks_from": part, "rolespec_validate": False}
    return {"ansible.builtin.include_role": name}


def host(directory: Path, name: str, *, confirmed: bool, **variables: Any) -> dict[str, Any]:
    """One in its trial boot. `confirmed`: whether that is so when its failure is looked into."""
    answers = json.loads((ROOT / "bench/fleet/answers.json").read_text())
    now = {
        **answers["host_kernel_info"]["new"],
        **{"release": RELEASE, "boot_id": BOOTS[1], "trial": RELEASE, "time": 1764435000},
        **{"trial_confirmed": confirmed, "trial_report": None, "install_record": None},
        **{"packages": {}, "oslab_packages": {}, "files": {}, "uptime": 1},
        **{"boots_default_kernel": None, "modules_as_wanted": None},
    }
    before = {**now, "release": FALLBACK, "boot_id": BOOTS[0], "trial": None}
    before["files"] = {"/etc/systemd/system/oslab-trial-finish.service": None}
    record = {"image": IMAGE, "boot_id": BOOTS[0], "fallback": FALLBACK, "complete": True}
    given = {
        "host_kernel_info": now,
        "boot_entry": LOADER,
        "apt_removal_info": {"failed": True, "msg": "another process holds the lock of dpkg"},
        "trial_evidence_info": NO_EVIDENCE,
    }
    return {
        **{"ansible_connection": "hostile", "hostile_answers": json.dumps(given)},
        **{"install_release": RELEASE, "install_version": "1", "install_image": IMAGE},
        **{"install_host_facts": before, "install_running": False},
        "install_record": {**record, "confirmed": False, "failures": []},
        "install_record_file": str(directory / f"{name}.json"),
        # A set_fact, as the role's own variables are stronger than the inventory's.
        "facts": {
            **{"trial_release": RELEASE, "trial_fallback": FALLBACK, "trial_has_timer": False},
            **{"trial_confirmable": True, "trial_unconfirmed": True, "trial_report_dir": ""},
            **{"trial_metrics_wanted": False, "trial_reboot": False},
            "trial_rebooted": {"rebooted": True, "elapsed": 20, "stages": {}},
            "trial_result": {"rebooted": True, "downtime": 20, "stages": {}},
            "trial_confirmed_file": str(directory / f"{name}.confirmed"),
            "trial_health_file": str(directory / f"{name}.health"),
            "trial_lock_file": str(directory / f"{name}.lock"),
            **variables,
        },
    }


class Ended(NamedTuple):
    said: Said
    record: dict[str, Any]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    directory = tmp_path_factory.mktemp("confirm")
    hosts = {
        "unpruned": host(directory, "unpruned", confirmed=True),
        # The file that marks the boot as confirmed cannot be written.
        "unmarked": host(
            directory, "unmarked", confirmed=False, trial_confirmed_file="/proc/none/confirmed"
        ),
    }
    given = hosts["unpruned"]["facts"]
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {key: f"{{{{ facts.{key} }}}}" for key in given}},
        {"block": [role("confirm")], "rescue": [role("recover")]},
        {"ansible.builtin.debug": {"msg": "FAILURE {{ trial_failure | default('none') }} END"}},
    ]
    said = run_plays(directory, [play(list(hosts), tasks)], hosts)

    def record(name: str) -> dict[str, Any]:
        path = directory / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    return {name: Ended(said[name], record(name)) for name in hosts}


def test_a_kernel_that_is_confirmed_has_not_failed(ended: dict[str, Ended]) -> None:
    """apt was busy when older kernels were to be removed."""
    said, record = ended["unpruned"]
    assert "FAILURE none END" in said.text
    assert "older kernels were not removed (another process holds the lock of dpkg)" in said.text
    assert f"unpruned runs {RELEASE}. The kernel is confirmed" in said.text
    assert (record["confirmed"], record["failures"]) == (True, [])


def test_the_fallback_kernel_is_the_default_again(ended: dict[str, Ended]) -> None:
    said, record = ended["unmarked"]
    assert "FAILURE Cause: " in said.text
    # The default is set, the boot entry is cancelled, the default is set again,
    # and the failure is recorded.
    assert said.text.count("changed: [unmarked]") == 4
    assert record["confirmed"] is False
    assert [one["image"] for one in record["failures"]] == [IMAGE]
