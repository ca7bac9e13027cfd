# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of each host that reboots: files of one run, from Ansible's workers to the live view.

A worker is a process of its own, and only the main process writes to the terminal.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

#: In the order in which a host has them.
WAITING, DOWN, SILENT, UP = "waits for its turn", "shuts down", "does not answer", "answers"
LOST, REFUSED = "did not come back", "was not rebooted"
ENDED = (UP, LOST, REFUSED)


class HostState(NamedTuple):
    host: str
    #: One of those above.
    state: str
    #: When its reboot began, in seconds since 1970.
    began: float
    #: When it got this state, in seconds since 1970.
    at: float

    def seconds(self, now: float) -> float:
        """How long the reboot took so far, or took."""
        return max((self.at if self.state in ENDED else now) - self.began, 0.0)


def directory(run: str) -> Path:
    """Where the states of a run are. It exists while a live view reads them.

    :param run: Ansible's temporary directory, which each run has for itself.
    """
    return Path(run) / "reboots"


def write(place: Path, state: HostState) -> None:
    """Replace the host's state, so that a reader never sees half of it."""
    path = place / hashlib.sha256(state.host.encode()).hexdigest()[:16]
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state), encoding="utf-8")
    part.replace(path)


def read(place: Path) -> list[HostState]:
    """All states, in the order in which the reboots began."""
    found = []
    for path in place.iterdir():
        if not path.suffix:
            found.append(HostState(*json.loads(path.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda state: (state.began, state.host))


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _counted(states: Iterable[HostState]) -> str:
    found = Counter(state.state for state in states)
    return ", ".join(
        f"{found[name]} {name}" for name in (WAITING, DOWN, SILENT, *ENDED) if found[name]
    )


def lines(states: Sequence[HostState], wave: int, height: int, width: int) -> list[str]:
    """A line for each host, or for those that fit and one for the rest. None is too long.

    :param wave: the number of the wave, from 1 on.
    :param height: of the place for them, at least 2.
    """
    now = time.time()
    shown: Sequence[HostState] = states
    rest: Sequence[HostState] = []
    if len(states) > height:
        # Who has ended is less of interest.
        shown = sorted(states, key=lambda state: state.state in ENDED)
        shown, rest = shown[: height - 1], shown[height - 1 :]
    longest = max((len(state.host) for state in shown), default=0)
    text = [
        f"{state.host:{longest}}  {clock(state.seconds(now)):>6}  wave {wave}  {state.state}"
        for state in shown
    ]
    if rest:
        text.append(f"{len(rest)} more: {_counted(rest)}")
    return [line[:width] for line in text]
