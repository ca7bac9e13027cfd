# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is in a trial boot, and what can end it if it fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, json_file
from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import INSTALL_RECORD

# On the command line of a trial boot alone.
MARK = "oslab.trial="
# In its place on that of a trial boot that nothing ends by itself: a person reboots the host.
PENDING = "oslab.pending="
# Gone with the boot in which it was made.
CONFIRMED = "run/oslab-trial.confirmed"
# Written by the rollback timer when it has ended a trial boot. An earlier version used the name.
REPORT = "var/lib/oslab-kernel/trial-return.txt"
# Of trial-on-host, which finishes the trial boot of a host that is its own control node: release,
# state, and the boot before the trial boot.
OUTCOME = "etc/oslab-kernel/trial-outcome"
_REPORT_CHARACTERS = 4000
#: Of the last deployment on a host: none is recorded; its kernel waits for the trial boot; it runs,
#: and is not confirmed; it is confirmed; another kernel runs, as the trial boot failed, or the host
#: was rolled back, or somebody chose another one.
STATES = ("none", "pending", "unconfirmed", "confirmed", "fallback")


def trial_of(command_line: str) -> Optional[str]:
    """The kernel of a trial boot; None in any other boot."""
    words = command_line.replace("\n", " ").replace("\t", " ").split(" ")
    found = [word[len(MARK) :] for word in words if word.startswith(MARK)]
    return found[-1] if found else None


def is_unconfirmed(root: Path) -> bool:
    """Whether this is a trial boot, of a run or of a person, that nothing has confirmed."""
    words = read(root / "proc/cmdline").replace("\n", " ").split(" ")
    marked = any(word.startswith((MARK, PENDING)) for word in words)
    return marked and not (root / CONFIRMED).exists()


def state(release: str, boot: str, record: Mapping[str, Any], *, unconfirmed: bool) -> str:
    """One of STATES.

    :param release: of the running kernel.
    :param boot: the id of this boot.
    :param record: install.json; empty without one.
    :param unconfirmed: whether this is a trial boot that nothing has confirmed.
    """
    if unconfirmed:
        return "unconfirmed"
    if not record:
        return "none"
    confirmed = record.get("confirmed") is True
    if failed_builds.is_image_of(str(record.get("image", "")), release):
        return "confirmed" if confirmed else "unconfirmed"
    failed = failed_builds.failure_of(record, record.get("image")) is not None
    installed_now = record.get("boot_id") == boot and not failed
    # One that has failed may be tried again.
    waits = installed_now or failed_builds.begun(record)[1] == boot
    return "pending" if waits and not confirmed else "fallback"


def outcome(root: Path) -> tuple[str, ...]:
    """The words of OUTCOME; empty if there is none."""
    return tuple(bounded_read.words(read(root / OUTCOME)[:400].replace("\n", " "))[:3])


def deployment(root: Path, release: str, boot: str) -> dict[str, Any]:
    """What is known of the last deployment; None for what is not recorded.

    `state` is one of STATES, `downtime` has seconds, `confirmed_time` seconds since 1970.
    """
    record = json_file.read(root / INSTALL_RECORD) or {}
    found = state(release, boot, record, unconfirmed=is_unconfirmed(root))
    confirmed = record if found == "confirmed" else {}
    return {
        "state": found,
        "downtime": confirmed.get("downtime"),
        "confirmed_time": confirmed.get("confirmed_time"),
    }


def watchdogs(root: Path) -> list[str]:
    """Watchdogs that can reset a host that hangs, by the names of their drivers."""
    devices = sorted((root / "sys/class/watchdog").glob("watchdog[0-9]*"))
    return [read(device / "identity").strip() or device.name for device in devices]


def systemd_version(output: str) -> int:
    """The version in the output of `systemctl --version`; 0 if there is none."""
    found = re.match(r"systemd ([0-9]{1,9})(?![0-9])", output)
    return int(found[1]) if found else 0


def report_of(root: Path) -> Optional[str]:
    """What the rollback timer has reported of the last trial boot; None if it did not end it."""
    report = root / REPORT
    return read(report)[:_REPORT_CHARACTERS] if report.is_file() else None


def trial_facts(root: Path) -> dict[str, Any]:
    return {
        "trial": trial_of(read(root / "proc/cmdline")),
        "trial_confirmed": (root / CONFIRMED).exists(),
        "trial_report": report_of(root),
        "systemd": (root / "run/systemd/system").is_dir(),
        "watchdogs": watchdogs(root),
    }
