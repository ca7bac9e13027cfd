# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of a reboot went, by what the host says of its boot.

systemd keeps when firmware, boot loader, kernel and user space began, in µs from the kernel's start
(org.freedesktop.systemd1(5)). The first two are known where firmware and loader report them (UEFI).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from statistics import median

_FIRMWARE, _LOADER = "FirmwareTimestampMonotonic", "LoaderTimestampMonotonic"
_INITRD, _USER_SPACE = "InitRDTimestampMonotonic", "UserspaceTimestampMonotonic"
_PROPERTIES = ",".join((_FIRMWARE, _LOADER, _INITRD, _USER_SPACE))
#: For a shell on the host; what `parse` reads.
QUESTION = (
    "/bin/cat /proc/uptime; LC_ALL=C.UTF-8 LANGUAGE=C /usr/bin/timeout --kill-after=5 20 "
    f"/bin/systemctl --no-pager show --property={shlex.quote(_PROPERTIES)} </dev/null"
)
#: The stages in their order, by what they are called.
NAMES = {
    "before_kernel": "shutdown, firmware and boot loader",
    "shutdown": "shutdown",
    "firmware": "firmware",
    "loader": "boot loader",
    "kernel": "kernel",
    "initrd": "initrd",
    "user_space": "user space until ssh",
}
_LONGEST = 7 * 86400.0


def parse(output: str, elapsed: float, *, firmware_ran: bool = True) -> dict[str, float]:
    """Seconds of each stage, which are `elapsed` together; empty if the host does not tell.

    After a kexec the times of firmware and loader are those of an earlier boot.
    """
    uptime_text = re.match(r"([0-9]{1,9}\.[0-9]{1,4}) ", output)
    found = {
        name: int(value) / 1e6
        for name, value in re.findall(r"^(\w+)=([0-9]{1,15})\r?$", output, re.MULTILINE)
    }
    user_space = found.get(_USER_SPACE, 0.0)
    if not uptime_text or not 0 < user_space <= float(uptime_text[1]) < _LONGEST:
        return {}
    uptime = min(float(uptime_text[1]), max(elapsed, user_space))
    before = max(elapsed - uptime, 0.0)
    firmware, loader = found.get(_FIRMWARE, 0.0), found.get(_LOADER, 0.0)
    stages: dict[str, float] = {}
    if firmware_ran and 0 < loader <= firmware <= before:
        stages["shutdown"] = before - firmware
        stages["firmware"] = firmware - loader
        stages["loader"] = loader
    else:
        stages["before_kernel"] = before
    initrd = found.get(_INITRD, 0.0)
    if 0 < initrd <= user_space:
        stages["kernel"] = initrd
        stages["initrd"] = user_space - initrd
    else:
        stages["kernel"] = user_space
    stages["user_space"] = max(elapsed, user_space) - before - user_space
    return {name: round(max(seconds, 0.0), 1) for name, seconds in stages.items()}


def text(stages: Mapping[str, float]) -> str:
    return ", ".join(
        f"{words} {stages[name]:.0f} s" for name, words in NAMES.items() if name in stages
    )


def medians(of_hosts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Of each stage that some hosts have."""
    known: dict[str, list[float]] = {}
    for stages in of_hosts:
        for name in NAMES:
            if isinstance(stages.get(name), (int, float)):
                known.setdefault(name, []).append(stages[name])
    return {name: median(values) for name, values in known.items()}
