# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns of a group: so many of its members at once, and none any more after one was lost.

Files on the control node, of one run: a turn is a lock on one of the group's files, which ends with
the process that has it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import lock

SECONDS = 0.5


class LostError(Exception):
    """The message names the member that was lost."""


class Turns:
    """Those of one group."""

    def __init__(self, directory: Path, group: str, at_once: int) -> None:
        name = hashlib.sha256(group.encode()).hexdigest()[:16]
        self._files = [directory / f"turn-{name}-{number}" for number in range(at_once)]
        self._lost = directory / f"turn-{name}-lost"

    def lose(self, member: str) -> None:
        """Let nobody else come to the same end."""
        self._lost.write_text(member, encoding="utf-8")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn, and have it."""
        descriptor = self._wait()
        try:
            yield
        finally:
            os.close(descriptor)

    def _wait(self) -> int:
        while True:
            for path in self._files:
                descriptor = lock.open_file(path)
                if not lock.acquire(descriptor, 0):
                    os.close(descriptor)
                    continue
                # Asked now: who had the turn before may have been lost.
                if self._lost.exists():
                    os.close(descriptor)
                    raise LostError(self._lost.read_text(encoding="utf-8"))
                return descriptor
            time.sleep(SECONDS)
