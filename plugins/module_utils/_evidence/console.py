# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a serial console on the control node: what of it is a trial boot.

The log of a console has many boots, and what the boot loader prints before each. How long it was
when the host was asked to reboot tells where the trial boot may begin.
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
# The kernel of kdump has the same release, and boots after the crash of the other one.
_OF_KDUMP = re.compile(r"Linux version (?=[^\n]*\n[^\n]*[Cc]ommand line:[^\n]* elfcorehdr=)")
# What is printed once, or in lines that follow each other, at each start of the machine: by the
# firmware, or else by the boot loader.
_STARTS = (
    re.compile(r" {0,80}(?:SeaBIOS |BdsDxe: )"),
    re.compile(r" {0,80}(?:GNU GRUB|Welcome to GRUB)"),
    _BOOTS,
)


class Trial(NamedTuple):
    """The part of the log."""

    lines: list[str]
    #: Whether the kernel of the trial boot printed its first line.
    started: bool
    #: Whether a kernel prints to this console at all.
    console: bool
    #: The last of the lines that is a kernel's for certain.
    last: str = ""


def trial(text: str, release: str, *, since_reboot: bool = False) -> Trial:
    """The last trial boot of this release; no lines if the log has none.

    @since_reboot: the text begins with the reboot into the trial boot. Then it is there although
    neither boot loader nor kernel names it, as with `quiet`.
    """
    lines = kernel_text.lines(_OF_KDUMP.sub("The kernel of kdump, version ", text))
    console = any(_VERSION.search(line) for line in lines)
    start = _beginning(lines, release, since_reboot)
    if start < 0:
        found = _first_boot(lines) if since_reboot else []
        return Trial(found[-MOST_LINES:], False, console, _last(found, text))
    end = len(lines)
    started = False
    for index in range(start, len(lines)):
        version = _VERSION.search(lines[index])
        if version and version[1] == release and not started:
            started = True
        elif version or (index > start and _is_another(lines[index], release)):
            end = index
            break
    found = lines[start:end]
    return Trial(found[-MOST_LINES:], started, console, _last(found, text))


def _last(found: list[str], text: str) -> str:
    own = {*kernel_text.stamped(text)}
    return next((line for line in reversed(found) if line in own), "")


def _is_another(line: str, release: str) -> bool:
    """Whether the machine has started again, or GRUB is at another entry."""
    loads = _LOADS.search(line)
    if _BOOTS.match(line) or _FIRMWARE.match(line):
        return True
    return loads is not None and loads[1] != release


def _first_boot(lines: list[str]) -> list[str]:
    """From the first start of the machine to the next one, or to another kernel."""
    every = ([n for n, line in enumerate(lines) if one.match(line)] for one in _STARTS)
    marks = next(filter(None, every), [])
    starts = [n for n in marks if n - 1 not in marks]
    start, end = [*starts[:2], len(lines), len(lines)][:2] if starts else (0, len(lines))
    kernels = [n for n, line in enumerate(lines) if _VERSION.search(line) and start < n < end]
    return lines[start : kernels[0] if kernels else end]


def _beginning(lines: list[str], release: str, first: bool) -> int:
    """Of the first or the last trial boot: by GRUB's title and the kernel's first line; or -1."""
    title = re.compile(rf"{re.escape(_TITLE + release)}(?![\w.+~-])")
    titles = [n for n, line in enumerate(lines) if _BOOTS.match(line) and title.search(line)]
    kernels = [
        n
        for n, line in enumerate(lines)
        if (found := _VERSION.search(line)) and found[1] == release
    ]
    if first:
        return min([*titles, *kernels], default=-1)
    if not titles:
        return max(kernels, default=-1)
    # The first one is the kernel that the boot loader has started, a later one that of a kexec.
    later = [n for n in kernels if n > titles[-1]][1:]
    return later[-1] if later else titles[-1]


def read(path: Path, release: str, offset: int = -1) -> Trial:
    """From the end of a log. Raises OSError.

    @offset: how many bytes the log had when the host was asked to reboot; -1 if that is not known.
    """
    size = path.stat().st_size
    # One that is shorter now was begun anew, and nobody knows when.
    known = 0 <= offset <= size
    most = kernel_text.MOST_BYTES
    data = bounded_read.end(path, min(most, size - offset) if known else most)
    return trial(data.decode("utf-8", "replace"), release, since_reboot=known)
