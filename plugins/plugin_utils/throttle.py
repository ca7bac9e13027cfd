# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throttle a group: so many of its members at once, and no other one after one was lost.

Files on the control node, of one run: a slot is a lock on one of the group's files, which ends with
the process that holds it.
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


class Throttle:
    """The slots of one group."""

    def __init__(self, directory: Path, group: str, at_once: int) -> None:
        name = hashlib.sha256(group.encode()).hexdigest()[:16]
        self._files = [directory / f"slot-{name}-{number}" for number in range(at_once)]
        self._lost = directory / f"slot-{name}-lost"

    def lose(self, member: str) -> None:
        """No other member of the group gets a slot after this."""
        self._lost.write_text(member, encoding="utf-8")

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot, and occupy it."""
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
                # Checked now: the member that had the slot before may have been lost.
                if self._lost.exists():
                    os.close(descriptor)
                    raise LostError(self._lost.read_text(encoding="utf-8"))
                return descriptor
            time.sleep(SECONDS)
