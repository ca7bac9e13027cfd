# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a kernel's log, wherever they were kept: without their stamps, and without secrets.

What a record of pstore, a crash dump or a console holds was written by a kernel that was dying, or
by anybody who can write to that place. It is read up to a limit, and judged on the control node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log, log_rules

#: Of each record: the end, where a kernel says why it stops.
MOST_LINES = 300
#: Characters of a line.
LENGTH = 240
#: Bytes that are read of each file.
MOST_BYTES = 4 << 20

# As in `<4>[   12.345678][  T312] `: printk, a console, and pstore have them in part.
_STAMP = re.compile(
    r"(?:<\d{1,3}> {0,2})?(?:\[ {0,8}\d{1,10}\.\d{1,9}\] ?)?(?:\[ {0,8}[TC]\d{1,10}\] ?)?"
)
# On a console, a prompt or a status may stand before it, without a line end.
_LATE_STAMP = re.compile(r"(?<=[^>\n])(?=\[ {0,4}\d{1,5}\.\d{6}\](?: |\[))")
_STAMPED = re.compile(r"(?:<\d{1,3}> {0,2})?\[ {0,8}\d{1,10}\.\d{1,9}\]")
# A cursor that moves, or a screen that is cleared, as by the menu of GRUB.
_MOVE = re.compile(r"\x1b\[[0-9;]{0,16}[HJf]|\r")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]|\x1b.?")
# The arguments of a kernel may be passwords.
_ARGUMENTS = re.compile(
    r"((?:Kernel )?[Cc]ommand line|Unknown kernel command line parameters)\b.*", re.DOTALL
)
_WITH_ARGUMENTS = "with arguments:"
_STARTED = re.compile(r"Linux version (\S{1,64}) ")
_IN_TRACE = re.compile(r"(?:Not tainted|Tainted: [A-Z ]{1,40}?) {1,8}([0-9]\S{0,63}) #")


class Record(NamedTuple):
    """A part of a kernel's log that was found somewhere."""

    #: pstore, kdump, netconsole, serial, journal
    source: str
    #: Where it is.
    name: str
    lines: Sequence[str]

    def answer(self) -> dict[str, Any]:
        return {"source": self.source, "name": self.name[:LENGTH], "lines": [*self.lines]}


def _line(text: str) -> str:
    text = _ESCAPE.sub("", text[: 8 * LENGTH]).rstrip()
    text = _STAMP.sub("", text, count=1)
    return _ARGUMENTS.sub(r"\1: (not shown)", text)[:LENGTH]


def _split(text: str) -> list[str]:
    """The lines as they were printed, each from its stamp on if it has one."""
    return bounded_read.lines(_LATE_STAMP.sub("\n", _MOVE.sub("\n", text)))


def lines(text: str) -> list[str]:
    """The lines that are not empty; what may hold arguments of a kernel is left out."""
    found: list[str] = []
    hidden = False
    for one in _split(text):
        line = _line(one)
        # /init with its arguments and its environment, a line each, which begins with spaces.
        hidden = line.endswith(_WITH_ARGUMENTS) or (hidden and line.startswith("  "))
        if line and not hidden:
            found.append(line)
    return found


def stamped(text: str) -> list[str]:
    """The lines with a stamp: others on a console are of any program, and may hold secrets."""
    own = (one for one in _split(text) if _STAMPED.match(_ESCAPE.sub("", one[: 2 * LENGTH])))
    return [*filter(None, map(_line, own))]


def last(found: Sequence[str], most: int = MOST_LINES) -> list[str]:
    return [*found[-most:]]


def complaint(line: str) -> str:
    """What a line complains of, whatever its numbers are; empty if it begins no complaint.

    Names of devices keep theirs.
    """
    found = log_rules.rule_of(line[:LENGTH])
    if found is None:
        return ""
    name = kernel_log.normalised(found.name)
    return " ".join(filter(None, (found.rule.kind, name, found.device)))[:LENGTH]


def releases(found: Iterable[str]) -> set[str]:
    """Kernels that the lines name as the one that wrote them."""
    named: set[str] = set()
    for line in found:
        for pattern in (_STARTED, _IN_TRACE):
            match = pattern.search(line)
            if match:
                named.add(match[1])
    return named


def is_of(found: Iterable[str], release: str) -> Optional[bool]:
    """Whether a kernel of this release wrote the lines; None if they do not tell."""
    named = releases(found)
    return release in named if named and release else None
