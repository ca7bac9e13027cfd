# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a serial console, or of netconsole, on the control node: what of it is a trial boot.

The log of a console has many boots, and what the boot loader prints before each.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text

MOST_LINES = 600
# GRUB prints the title of the entry that it boots (_boot/grub/trial.py) in one kind of quotes or
# another, or what it loads; the kernel prints its version.
_BOOTS = re.compile(r" {0,80}Booting (?:[^\w\s]|a command list)")
# What comes before it at each start of the machine.
_FIRMWARE = re.compile(r" {0,80}(?:SeaBIOS |BdsDxe: |GNU GRUB|Welcome to GRUB|Booting from )")
_LOADS = re.compile(r"Loading Linux (\S{1,64})")
_TITLE = "Trial of Linux "
_VERSION = re.compile(r"Linux version (\S{1,64}) ")


class Trial(NamedTuple):
    """The part of the log."""

    lines: list[str]
    #: Whether the kernel of the trial boot printed its first line.
    started: bool
    #: Whether a kernel prints to this console at all.
    console: bool


def trial(text: str, release: str) -> Trial:
    """The last trial boot of this release; no lines if the log has none."""
    lines = kernel_text.lines(text)
    console = any(_VERSION.search(line) for line in lines)
    start = _beginning(lines, release)
    if start < 0:
        return Trial([], False, console)
    end = len(lines)
    started = False
    for index in range(start, len(lines)):
        version = _VERSION.search(lines[index])
        if version and version[1] == release and not started:
            started = True
        elif version or (index > start and _is_another(lines[index], release)):
            end = index
            break
    return Trial(lines[start:end][-MOST_LINES:], started, console)


def _is_another(line: str, release: str) -> bool:
    """Whether the machine has started again, or GRUB is at another entry."""
    loads = _LOADS.search(line)
    if _BOOTS.match(line) or _FIRMWARE.match(line):
        return True
    return loads is not None and loads[1] != release


def _beginning(lines: list[str], release: str) -> int:
    """Of the last trial boot: by GRUB's title, or else by the kernel's first line."""
    titles = [n for n, line in enumerate(lines) if _BOOTS.match(line) and _TITLE + release in line]
    kernels = [
        n
        for n, line in enumerate(lines)
        if (found := _VERSION.search(line)) and found[1] == release
    ]
    return titles[-1] if titles else kernels[-1] if kernels else -1


def read(path: Path, release: str) -> Trial:
    """From the end of a log. Raises OSError."""
    data = bounded_read.end(path, kernel_text.MOST_BYTES)
    return trial(data.decode("utf-8", "replace"), release)
