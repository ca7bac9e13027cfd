# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who works on a host: one run at a time, written down on the host itself.

The file is in /run, so that a claim never outlives the boot it was made in, and times are counted
from that boot: a clock that is wrong or set meanwhile makes no difference.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Optional


@dataclass(frozen=True)
class Claim:
    """By whom, as a program and as a person knows them; until when, in seconds since the boot."""

    run: str
    text: str
    until: float


def parse(text: str) -> Optional[Claim]:
    """None if nobody has claimed it, or nobody knows who."""
    try:
        found = json.loads(text)
        return Claim(str(found["run"]), str(found["text"]), float(found["until"]))
    except (ValueError, KeyError, TypeError):
        return None


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    """The file, which is never removed while somebody else may wait for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream


def _write(stream: IO[str], text: str) -> None:
    stream.seek(0)
    stream.truncate()
    stream.write(text)


def take(path: Path, wanted: Claim, now: float, gone: str = "") -> Optional[Claim]:
    """Claim it, or claim it for longer: None. Otherwise the claim that is in the way.

    `gone` is a run that has ended without a word, as its own control node knows.
    """
    with _open(path) as stream:
        present = parse(stream.read())
        if present and present.run not in (wanted.run, gone) and present.until > now:
            return present
        _write(stream, json.dumps(asdict(wanted)) + "\n")
    return None


def release(path: Path, run: str) -> None:
    """Let go of it, if it is this run's."""
    if not path.exists():
        return
    with _open(path) as stream:
        present = parse(stream.read())
        if present and present.run == run:
            _write(stream, "")
