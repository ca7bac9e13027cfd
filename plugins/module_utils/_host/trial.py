# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is in the trial of a kernel, and what would bring it back if that fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

# On the command line of a trial's boot alone.
MARK = "oslab.trial="
# Gone with the boot in which it was made.
CONFIRMED = "run/oslab-trial.confirmed"
# Left by the guard, when it has brought the host back.
REPORT = "var/lib/oslab-kernel/trial-return.txt"
_REPORT_CHARACTERS = 4000


def trial_of(command_line: str) -> Optional[str]:
    """The kernel that this boot tries; None for any other boot."""
    words = command_line.replace("\n", " ").replace("\t", " ").split(" ")
    found = [word[len(MARK) :] for word in words if word.startswith(MARK)]
    return found[-1] if found else None


def watchdogs(root: Path) -> list[str]:
    """What could reset a host that hangs, as its drivers call it."""
    devices = sorted((root / "sys/class/watchdog").glob("watchdog[0-9]*"))
    return [read(device / "identity").strip() or device.name for device in devices]


def systemd_version(told: str) -> int:
    """Of what `systemctl --version` prints; 0 if that is no version."""
    found = re.match(r"systemd ([0-9]{1,9})(?![0-9])", told)
    return int(found[1]) if found else 0


def trial_facts(root: Path) -> dict[str, Any]:
    report = root / REPORT
    return {
        "trial": trial_of(read(root / "proc/cmdline")),
        "trial_confirmed": (root / CONFIRMED).exists(),
        "trial_report": read(report)[:_REPORT_CHARACTERS] if report.is_file() else None,
        "systemd": (root / "run/systemd/system").is_dir(),
        "watchdogs": watchdogs(root),
    }
