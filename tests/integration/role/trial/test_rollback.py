# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that was booted into its fallback kernel by hand, and is rolled back then.

The hosts are this machine, and their modules give prepared answers. Nothing is booted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
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


def host(record: dict[str, Any]) -> dict[str, Any]:
    """One that runs its fallback kernel, and has this record."""
    answers = json.loads((ROOT / "bench/fleet/answers.json").read_text())
    now = {
        **answers["host_kernel_info"]["stock"],
        **{"release": FALLBACK, "boot_id": BOOTS[1], "trial": None, "time": 1764435000},
        **{"trial_confirmed": False, "trial_report": None, "install_record": record},
        **{"packages": {}, "oslab_packages": {}, "uptime": 1, "kernel_log": None, "health": None},
        **{"boots_default_kernel": None, "modules_as_wanted": None},
        "files": {"/etc/systemd/system/oslab-trial-finish.service": None},
    }
    given = {
        "host_kernel_info": now,
        "boot_entry": LOADER,
        "deploy_lock": {"held": True},
    }
    return {"ansible_connection": "hostile", "hostile_answers": json.dumps(given)}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By the names of the hosts, the records that are left; None if none was written."""
    directory = tmp_path_factory.mktemp("rollback")
    record = {"image": IMAGE, "boot_id": BOOTS[0], "fallback": FALLBACK, "complete": True}
    trial = {"trial_boot": {"image": IMAGE, "boot_id": BOOTS[1], "unwatched": True}}
    hosts = {
        "confirmed": host({**record, "confirmed": True, "failures": []}),
        # Its trial boot is the next boot: the new default takes it back.
        "pending": host({**record, "confirmed": False, **trial}),
        # Of the kernel that runs nothing is left.
        "other": host({**record, "image": f"linux-image-{FALLBACK}=1", "confirmed": True}),
    }
    role = "oslab.kernel.trial"
    # A set_fact, as the roles' own variables are stronger than the inventory's: it is this machine.
    own = {
        "install_record_file": f"{directory}/{{{{ inventory_hostname }}}}",
        # Whatever the roles make of the answers: it stays this machine.
        "trial_reboot": False,
    }
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": own},
        *(
            {"ansible.builtin.include_role": {"name": role, "tasks_from": part}}
            for part in ("rollback", "confirm")
        ),
    ]
    said = run_plays(directory, [play(list(hosts), tasks)], hosts)
    found: dict[str, Any] = {}
    for name in hosts:
        path = directory / name
        assert not said[name].failed, said[name].text
        found[name] = json.loads(path.read_text()) if path.exists() else None
    return found


@pytest.mark.parametrize("name", ["confirmed", "pending"])
def test_the_build_is_recorded_as_left(records: dict[str, Any], name: str) -> None:
    found = records[name]
    assert (found["image"], found["left"], found["confirmed"]) == (IMAGE, IMAGE, False)
    assert found["trial_boot"] == {}


def rolled_back(directory: Path, loaders: dict[str, dict[str, Any]]) -> dict[str, Said]:
    """Hosts that run the new kernel and are not rebooted, by the answer of their boot loader."""
    runs = {"release": RELEASE, "oslab": {}, "systemd": False}
    record = {"image": IMAGE, "boot_id": BOOTS[0], "fallback": FALLBACK, "confirmed": True}
    hosts = {}
    for name, loader in loaders.items():
        given = host(record)
        answers = json.loads(given["hostile_answers"])
        answers["host_kernel_info"].update(runs)
        answers["boot_entry"] = {**LOADER, **loader}
        answers["config_files"] = {"changed": True, "paths": []}
        answers["kexec_load"] = {"loaded": True, "changed": True, "reason": ""}
        hosts[name] = {**given, "hostile_answers": json.dumps(answers)}
    role = {"name": "oslab.kernel.trial", "tasks_from": "rollback"}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {"trial_reboot": False}},
        {"ansible.builtin.include_role": role},
    ]
    return run_plays(directory, [play(list(hosts), tasks)], hosts)


def test_what_is_due_and_what_has_to_be_corrected(tmp_path: Path) -> None:
    problem = "x.cfg sets GRUB_DEFAULT: remove that."
    said = rolled_back(
        tmp_path,
        {
            "plain": {},
            "pinned": {"needs_kexec": "GRUB cannot write there"},
            "overruled": {"honours_default": False, "default_problem": problem},
            "chosen": {"honours_default": False},
        },
    )
    for name, words in {
        "plain": f"plain still runs {RELEASE}. Its next reboot is the first boot of {FALLBACK}",
        "pinned": f"pinned still runs {RELEASE}. After `systemctl kexec` on it",
        "overruled": problem,
        "chosen": "does not boot the default that was set. Run deploy.yml",
    }.items():
        assert words in said[name].text, said[name].text
        assert said[name].failed is (name in ("overruled", "chosen"))


def test_no_build_is_left(records: dict[str, Any]) -> None:
    assert records["other"] is None
