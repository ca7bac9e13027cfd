# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a trial boot that failed, one cause is named, and all of the evidence is stored."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_cause import HEALTH_TASK
from ansible_collections.oslab.kernel.tests.lib.many_hosts import Said, play, run_plays

RELEASE = "6.12.1-x"
LOST = "Fail if another kernel runs"
RECOVER = {"name": "oslab.kernel.trial", "tasks_from": "recover"}
TASKS: list[dict[str, Any]] = [
    {
        "block": [
            {
                "name": task,
                "ansible.builtin.fail": {"msg": "{{ asked }}"},
                "when": f"task == '{task}'",
            }
            for task in (LOST, HEALTH_TASK)
        ],
        "rescue": [{"ansible.builtin.include_role": RECOVER}],
    },
    {"ansible.builtin.debug": {"msg": "KEPT {{ trial_failure }} ENDS {{ trial_outcome }}"}},
]
EVIL = "\x1b]0;mine\x07"
PANIC = "Kernel panic - not syncing: sysrq triggered crash"
EVIDENCE: dict[str, Any] = {
    "changed": False,
    "records": [{"source": "pstore", "name": "/sys/fs/pstore/dmesg-efi-1", "lines": [EVIL, PANIC]}],
    "journal": None,
    "timer": "",
    "failed_before": [],
    "complaints_before": [],
    "kept_by": {"journal": True, "pstore": "efi_pstore", "kdump": False},
}
NOTHING = {**EVIDENCE, "records": [], "kept_by": {"journal": True, "pstore": "", "kdump": False}}
SERIAL = (
    f"Linux version {RELEASE} (x) #1\r\n"
    "[ 9.0] BUG: kernel NULL pointer dereference, address: 0\r\n"
    "[ 9.1] Kernel panic - not syncing: {{ 7 * 7 }}\r\n"
)
FACTS = {"boot_loader": "grub", "systemd": False, "boot_id": "1", "time": 1764435000}
#: By its name, what the module answers and the variables of the host.
HOSTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "panicked": (EVIDENCE, {}),
    "silent": (NOTHING, {}),
    "console": (NOTHING, {"trial_serial_log": "{{ work }}/serial.log"}),
    "unhealthy": (NOTHING, {"task": HEALTH_TASK, "trial_unconfirmed": True}),
    "full": (NOTHING, {"trial_rebooted": {"rebooted": False}, "asked": "No space left on device"}),
    "refused": (NOTHING, {"trial_rebooted": {"rebooted": False}}),
    "sent": (NOTHING, {"trial_netconsole_received": {"started": 1}}),
    "unreadable": ({"failed": True, "msg": f"no {EVIL} journal"}, {}),
    "lying": ({**NOTHING, "records": [{"source": "x"}]}, {}),
    "unwritable": (EVIDENCE, {"trial_report_dir": "{{ work }}/serial.log/reports"}),
}


class Explained(NamedTuple):
    said: Said
    report: Path


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Explained]:
    work = tmp_path_factory.mktemp("evidence")
    (work / "serial.log").write_text(SERIAL)
    common = {
        **{"task": LOST, "asked": "it came back with 6.1"},
        **{"work": str(work), "trial_release": RELEASE, "trial_report_dir": "{{ work }}/reports"},
        **{"install_host_facts": FACTS, "trial_rebooted": {"rebooted": True}},
        "ansible_connection": "hostile",
    }
    hosts = {
        name: {
            **common,
            "trial_lock_file": str(work / f"{name}.lock"),
            "hostile_answers": json.dumps(
                {"trial_evidence_info": answer, "netconsole_log": {"lines": [PANIC]}}
            ),
            **variables,
        }
        for name, (answer, variables) in HOSTS.items()
    }
    answers = run_plays(work, [play(list(hosts), TASKS)], hosts)
    return {name: Explained(answers[name], work / f"reports/{name}-evidence.txt") for name in hosts}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "panicked",
            f"KEPT Cause: kernel panic: {PANIC} (pstore, /sys/fs/pstore/dmesg-efi-1). Fail",
        ),
        ("silent", "KEPT Cause: unknown: nothing was left behind. To learn more next time: trial_"),
        ("console", "KEPT Cause: oops: BUG: kernel NULL pointer dereference, address: 0 (serial, "),
        (
            "sent",
            f"KEPT Cause: kernel panic: {PANIC} (netconsole, /var/lib/oslab-kernel/netconsole/",
        ),
        ("unhealthy", "KEPT Cause: health check: it came back with 6.1. Run the health checks: it"),
        ("full", "KEPT Cause: disk full: No space left on device. Fail if another"),
        ("refused", "KEPT Fail if another kernel runs: it came back with 6.1. ENDS"),
        ("unreadable", "KEPT Cause: unknown: nothing was left behind. To learn more"),
        ("lying", "KEPT Cause: unknown: nothing was left behind. To learn more"),
    ],
)
def test_the_cause(explained: dict[str, Explained], name: str, wanted: str) -> None:
    said = explained[name].said
    assert wanted in said.text, said.text
    assert "\x1b" not in said.text
    # Whatever is wrong with the evidence, the state of the host is reported.
    assert "The host answers and runs" in said.text.partition(" ENDS ")[2]


def test_a_text_is_no_template(explained: dict[str, Explained]) -> None:
    said, path = explained["console"]
    assert "Kernel panic - not syncing: {{ 7 * 7 }})" in said.text
    assert "{{ 7 * 7 }}" in path.read_text()


def test_what_cannot_be_read_is_reported(explained: dict[str, Explained]) -> None:
    for name in ("unreadable", "lying"):
        assert (
            f"{name}: what the trial boot left behind cannot be read: " in explained[name].said.text
        )


def test_the_evidence_is_stored(explained: dict[str, Explained]) -> None:
    said, path = explained["panicked"]
    assert f"All of the evidence: {path}." in said.text
    assert PANIC in path.read_text().splitlines()
    assert "\x1b" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    for name in ("refused", "unreadable"):
        assert not explained[name].report.exists()


def test_a_report_that_cannot_be_written_hides_nothing(explained: dict[str, Explained]) -> None:
    said = explained["unwritable"].said.text
    assert f"Cause: kernel panic: {PANIC}" in said
    assert "was not written" in said and "trial_report_dir" in said
