# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial line of a smoke test: the kernel's messages, and what became of each step.

`files/kernel/smoke/init.c` says what the lines of the steps are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._verify.kernel_log import Record

#: What is printed as soon as the first program runs.
MARKER = "oslab-smoke: begin 0"
EXIT, SIGNAL, LATE = "exit", "signal", "late"

# With CONFIG_PRINTK_CALLER the task or the CPU follows.
_MESSAGE = re.compile(r"\[ {0,8}(\d{1,10})\.(\d{6})\](?:\[ {0,8}[TC]\d{1,10}\])? ?(.*)")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_c])")
# The firmware clears the screen and leaves the kernel's first message in the same line.
_CLEAR = re.compile(r"\x1bc|\x1b\[2J")
_PREFIX = "oslab-smoke: "
_BEGIN = re.compile(r"begin (\d{1,6})")
_OUT = re.compile(r"out (\d{1,6}) ?(.*)")
# The console was slower than what printed: these messages were never sent.
_DROPPED = re.compile(r"\*\* {0,8}(\d{1,19}) printk messages dropped \*\*")
_END = re.compile(rf"end (\d{{1,6}}) ({EXIT}|{SIGNAL}|{LATE}) (\d{{1,6}})")


class Outcome:
    """What became of a step."""

    def __init__(self, *, begun: bool = False) -> None:
        self.begun = begun
        self.output: list[str] = []
        #: Empty: it was begun, and did not end.
        self.how = ""
        self.number = 0

    @property
    def whole(self) -> bool:
        """Whether both its begin and its end were reported."""
        return self.begun and bool(self.how)

    @property
    def text(self) -> str:
        return "\n".join(self.output)


class Console(NamedTuple):
    """All that came over the line."""

    #: The kernel's messages and the lines of the first program, as they came.
    records: Sequence[Record]
    #: Number of a step → what became of it.
    outcomes: dict[int, Outcome]
    #: Whether the first program came to its end.
    done: bool
    #: Messages that the kernel could not send.
    dropped: int = 0

    def step_at(self, index: int) -> int | None:
        """The step that was under way at a record."""
        for record in reversed(self.records[:index]):
            if not record.kernel:
                found = _BEGIN.fullmatch(record.text) or _OUT.fullmatch(record.text)
                return int(found[1]) if found else None
        return None


def parse(serial: str) -> Console:
    """Lines that are neither the kernel's nor the first program's are passed over."""
    records: list[Record] = []
    outcomes: dict[int, Outcome] = {}
    done, dropped = False, 0
    plain = _ESCAPE.sub("", _CLEAR.sub("\n", serial)).replace("\r", "")
    for line in bounded_read.lines(plain):
        found = _MESSAGE.match(line)
        if not found:
            lost = _DROPPED.search(line)
            dropped += int(lost[1]) if lost else 0
            continue
        moment, text = int(found[1]) * 1_000_000 + int(found[2]), found[3]
        if not text.startswith(_PREFIX):
            records.append(Record(moment, text))
            continue
        text = text[len(_PREFIX) :]
        records.append(Record(moment, text, kernel=False))
        done = done or text == "done"
        if begun := _BEGIN.fullmatch(text):
            outcomes[int(begun[1])] = Outcome(begun=True)
        elif out := _OUT.fullmatch(text):
            outcomes.setdefault(int(out[1]), Outcome()).output.append(out[2])
        elif end := _END.fullmatch(text):
            outcome = outcomes.setdefault(int(end[1]), Outcome())
            outcome.how, outcome.number = end[2], int(end[3])
    return Console(records, outcomes, done, dropped)
