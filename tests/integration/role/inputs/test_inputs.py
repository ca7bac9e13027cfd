# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories and variables that are wrong end a run at once, with what is wrong and the remedy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import LOCAL, ROOT, run_playbook

#: Lines of a screen. Ansible prints a message twice, the second time in the result.
SCREEN = 50


@dataclass
class Case:
    """Groups of an inventory, what is run, and what has to be said of it."""

    groups: Optional[dict[str, Any]]
    expected: list[str]
    options: tuple[str, ...] = ()
    book: str = "site.yml"
    unexpected: tuple[str, ...] = ()
    status: int = 2
    begins: str = "Nothing was done."


def groups(
    builders: str = "kernel_builders", targets: str = "kernel_targets", **variables: Any
) -> dict[str, Any]:
    return {
        builders: {"hosts": {"b1": {}}},
        targets: {"hosts": {"t1": {"install_keep": 3}, "t2": {}}},
        "all": {"vars": {**LOCAL, **variables}},
    }


WRONG: dict[str, Any] = {
    "source_version": 6.1,
    "trial_timeout": 5,
    "install_transport": "cpoy",
    "patch_series": ["nowhere.patch"],
    "deploy_serial": ["one"],
    "publish_root": "{{ source_workdir }}/x",
    "version_extraversion": "-A",
}
UNREACHABLE = {
    "kernel_builders": {"hosts": {"b1": LOCAL}},
    "kernel_targets": {"hosts": {f"t{number}.invalid": {} for number in (1, 2, 3)}},
}
VALUES = groups(**WRONG)
VALUES["kernel_targets"]["hosts"]["t2"] = {"patch_sysnam": "x"}
CASES = {
    "no inventory": Case(
        None, ["there is no inventory", "-i inventory.yml", "kernel_builders:", "kernel_targets:"]
    ),
    "misspelt group": Case(
        groups(targets="kernel_target"),
        ["has no group kernel_targets", "is it the group kernel_target?", "web1.example.org:"],
    ),
    "no builder": Case(
        {"kernel_targets": {"hosts": {"t1": {}}}, "all": {"vars": LOCAL}},
        ["has no group kernel_builders"],
        book="deploy.yml",
    ),
    "limit": Case(
        groups(),
        ["--limit 't1' leaves out b1", "--limit 't1,b1'"],
        ("--limit", "t1"),
        book="deploy.yml",
    ),
    "values": Case(
        VALUES,
        [
            "7 things are wrong",
            'write it in quotes, as in source_version: "6.10"',
            "trial_timeout is 5: it has to be 60 to 86400",
            "install_transport is 'cpoy': it has to be one of apt, copy",
            "patch_series[0] is 'nowhere.patch': there is no such file",
            "deploy_serial is ['one']: it has to be",
            "version_extraversion '-A'",
            "patch_sysnam (hosts.yml:",
            "did you mean patch_sysname? [t2]",
        ],
        unexpected=("argument_spec_data", "Traceback", "publish_root"),
    ),
    # What only a build is about does not keep a host from its fallback kernel.
    "values of a build": Case(
        {**UNREACHABLE, "all": {"vars": {"source_version": 6.1, "patch_sysname": ""}}},
        ["unreachable=1"],
        book="rollback.yml",
        unexpected=("Nothing was done", "source_version"),
        status=4,
        begins="UNREACHABLE!",
    ),
    "rebuilds": Case(
        groups(install_required_rebuilds=2, install_rebuild_keys=["ada.asc"]),
        [
            "install_rebuild_keys[0] is 'ada.asc': it has to be a public key in ASCII, or the",
            "install_required_rebuilds is 2, but install_rebuild_keys has 1 keys: no build could",
        ],
        book="deploy.yml",
    ),
    "gates": Case(
        groups(
            deploy_gates=[
                {"name": "hours", "window": {"days": ["monday"], "from": "9:00"}},
                {"name": "night", "window": {"from": 1320}, "limt": 5},
                {"name": "alerts", "http": [{"url": "http://x", "headers": {"A": "my-word"}}]},
                {"name": "more", "http": {"url": "x", "headers": "A: my-word"}},
                {"soak": 5},
            ]
        ),
        [
            "deploy_gates[0]: window: days[0] is 'monday': it has to be one of mon, tue",
            "deploy_gates[1] (night) has 'limt', which is no key of it: did you mean limit?",
            "deploy_gates[2]: http is a value that is not shown: it has to be a mapping",
            "deploy_gates[3]: http: headers is a value that is not shown: it has to be a mapping",
            "deploy_gates[4] has no name",
        ],
        unexpected=("my-word", "Traceback"),
        book="deploy.yml",
    ),
    "windows": Case(
        groups(
            deploy_gates=[
                {"name": "hours", "window": {"from": "9:00"}},
                {"name": "night", "window": {"from": 1320}},
                {"name": "zone", "window": {"zone": "Berlin"}},
                {"name": "none"},
            ]
        ),
        [
            "deploy_gates[0] (hours): window: from is '9:00': it has to be hours and minutes",
            "deploy_gates[1] (night): window: from is 1320, not a text: write the time in quotes",
            "deploy_gates[2] (zone): window: zone is 'Berlin', which is no time zone",
            "deploy_gates[3] (none): it has to have one of soak, window, approval, command, http",
        ],
        book="deploy.yml",
    ),
    # Both lists are one, and what a source defines is read from it.
    "syscalls": Case(
        groups(
            patch_syscalls=[{"name": "x", "kconfig": "X", "source": "x.c"}],
            patch_syscalls_extra=[
                {"name": "x", "kconfig": "CONFIG_X", "source": "x.c"},
                {"name": "y", "kconfig": "Y", "source": "x.c", "depends": "KEYS &&"},
            ],
            patch_headers=[{"source": "none.h", "dest": "include/x.h"}],
        ),
        [
            "4 things are wrong",
            "patch_syscalls_extra[0] (x): name 'x' is also that of patch_syscalls[0]",
            "patch_syscalls_extra[0] (x): kconfig 'X' is also that of patch_syscalls[0]",
            "patch_syscalls_extra[1] (y): depends 'KEYS &&' ends where a symbol is due",
            "Give an absolute path, or put the file beside the inventory",
        ],
        book="build.yml",
    ),
    "sources": Case(
        groups(patch_syscalls_extra=[{"name": "y", "kconfig": "Y", "source": "x.c"}]),
        [
            "patch_syscalls_extra[0] (y): ",
            "/x.c has no SYSCALL_DEFINEn(y, …): it has SYSCALL_DEFINE0(x)",
        ],
        book="build.yml",
    ),
    # The group of the hosts that answered is not there before they are asked.
    "hosts of all plays": Case(
        groups(),
        ["Deploy the kernel to each"],
        ("--list-hosts",),
        unexpected=("WARNING",),
        status=0,
    ),
    "all is well": Case(
        groups(
            build_number=5,
            preflight_other_variables=["build_n*"],
            source_version="6.12",
            publish_root="{{ source_workdir }}/x",
            config_base="base.config",
            patch_files="{{ inventory_dir }}",
            patch_syscalls=[{"name": "x", "kconfig": "X", "source": "{{ patch_files }}/x.c"}],
            patch_banner="{{ of_a_fact_that_comes_later }}",
        ),
        ["failed=0"],
        book="preflight.yml",
        unexpected=("WARNING", "wrong"),
        status=0,
    ),
    # Behind the lines of hundreds of targets, one sentence for all.
    "no target answers": Case(
        UNREACHABLE,
        ["None of the 3 targets answers (t1.invalid, t2.invalid, t3.invalid)", "-m ping"],
        ("--tags", "config"),
        book="build.yml",
        status=4,
        begins="None of the",
    ),
    "no target answers a deployment": Case(
        UNREACHABLE,
        ["None of the 3 targets answers"],
        ("--tags", "modules"),
        book="deploy.yml",
        unexpected=("Deploy the kernel to each",),
        status=4,
        begins="None of the",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_at_once(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(json.loads(json.dumps(case.groups))))
    (tmp_path / "x.c").write_text("SYSCALL_DEFINE0(x)\n{\n\treturn 0;\n}\n")
    (tmp_path / "base.config").touch()
    done = run_playbook(
        ROOT / "playbooks" / case.book,
        *case.options,
        inventory=None if case.groups is None else inventory,
        cwd=tmp_path,
        ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
        TMPDIR=str(tmp_path),
    )
    output = done.output
    assert done.status == case.status, output
    # Long sentences are on several lines.
    spoken = " ".join(output.split())
    for text in case.expected:
        assert text in spoken
    for text in case.unexpected:
        assert text not in spoken
    if case.status:
        message = output.partition(case.begins)[2]
        assert len(message.splitlines()) < SCREEN
        assert set(re.findall(r"changed=(\d+)", output)) == {"0"}
