# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial's boot looks like, and an ordinary one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import (
    STATES,
    deployment,
    systemd_version,
    trial_facts,
    trial_of,
)


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("line", "trial"),
    [
        ("BOOT_IMAGE=/vmlinuz-6.8 ro quiet", None),
        ("BOOT_IMAGE=/vmlinuz-6.8 ro panic=10 oslab.trial=6.8-49-usac1\n", "6.8-49-usac1"),
        ("oslab.trial=6.8 oslab.trial=6.9", "6.9"),
        ("not.oslab.trial=6.8 oslab.trial", None),
    ],
)
def test_the_mark_tells_a_trial(line: str, trial: str | None) -> None:
    assert trial_of(line) == trial


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("systemd 252 (252.30-1~deb12u2)\n+PAM +AUDIT\n", 252),
        ("systemd 249 (249.11-0ubuntu3.12)\n", 249),
        ("", 0),
        ("busybox 1\n", 0),
    ],
)
def test_systemd_tells_its_version(output: str, version: int) -> None:
    assert systemd_version(output) == version


def test_an_ordinary_boot(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "ro quiet\n")
    assert trial_facts(tmp_path) == {
        "trial": None,
        "trial_confirmed": False,
        "trial_report": None,
        "systemd": False,
        "watchdogs": [],
    }


def test_a_trial(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "ro oslab.trial=6.8\n")
    put(tmp_path, "run/oslab-trial.confirmed", "")
    put(tmp_path, "var/lib/oslab-kernel/trial-return.txt", "why\n" * 2000)
    put(tmp_path, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n")
    put(tmp_path, "sys/class/watchdog/watchdog1/state", "inactive\n")
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    facts = trial_facts(tmp_path)
    assert (facts["trial"], facts["trial_confirmed"], facts["systemd"]) == ("6.8", True, True)
    assert len(facts["trial_report"]) == 4000
    assert facts["watchdogs"] == ["i6300ESB timer", "watchdog1"]


IMAGE = "linux-image-6.8-x=1"
RECORD = {"image": IMAGE, "boot_id": "first", "downtime": 31, "confirmed_time": 1_700_000_000}
FAILED = {**RECORD, "failures": [{"image": IMAGE, "reason": "it hung"}]}
BEGUN = {"trial_boot": {"image": IMAGE, "boot_id": "first"}}


@pytest.mark.parametrize(
    ("release", "record", "command_line", "state"),
    [
        ("6.8-x", None, "ro", "none"),
        ("6.8-x", {**RECORD, "confirmed": True}, "ro", "confirmed"),
        ("6.8-x", {**RECORD, "confirmed": True}, "ro oslab.trial=6.8-x", "unconfirmed"),
        ("6.8-x", {**RECORD, "confirmed": True}, "ro oslab.pending=6.8-x", "unconfirmed"),
        ("6.8-x", {**RECORD, "confirmed": False}, "ro", "unconfirmed"),
        # Its name only begins as that of another kernel.
        ("6.8", {**RECORD, "confirmed": True}, "ro", "fallback"),
        ("6.1", {**RECORD, "confirmed": True}, "ro", "fallback"),
        ("6.1", {**RECORD, "confirmed": False}, "ro", "pending"),
        ("6.1", {**RECORD, "confirmed": False, "boot_id": "other"}, "ro", "fallback"),
        ("6.1", {**FAILED, "confirmed": False}, "ro", "fallback"),
        # It is tried again, also without a new installation.
        ("6.1", {**FAILED, **BEGUN, "confirmed": False}, "ro", "pending"),
        ("6.1", {**FAILED, **BEGUN, "boot_id": "other", "confirmed": False}, "ro", "pending"),
    ],
)
def test_the_state_of_the_last_deployment(
    tmp_path: Path, release: str, record: Any, command_line: str, state: str
) -> None:
    put(tmp_path, "proc/cmdline", command_line + "\n")
    if record:
        put(tmp_path, "var/lib/oslab-kernel/install.json", json.dumps(record))
    confirmed = state == "confirmed"
    assert state in STATES
    assert deployment(tmp_path, release, "first") == {
        "state": state,
        "downtime": 31 if confirmed else None,
        "confirmed_time": 1_700_000_000 if confirmed else None,
    }


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "ro\n")
    put(tmp_path, "var/lib/oslab-kernel/install.json", "{")
    assert deployment(tmp_path, "6.8-x", "first")["state"] == "none"
