# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A filesystem as a boot loader reads it.

A boot loader does not replay a journal. What was synced may for half a minute be in there alone,
and is not to be found after a power cut. Freezing a filesystem empties its journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from pathlib import Path

FIFREEZE = 0xC0045877
FITHAW = 0xC0045878
#: Nobody thaws a filesystem for a process that was killed.
WATCH_SECONDS = 10.0


def _thaw(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, FITHAW, 0)


def _watch(descriptor: int, done: int) -> None:
    """Thaw if the other process has not said within the time that it is done."""
    select.select([done], [], [], WATCH_SECONDS)
    _thaw(descriptor)
    os._exit(0)


def settle(directory: Path) -> bool:
    """Empty the journal below this directory. False where that is not possible or not needed."""
    os.sync()
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    done, tell = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            os.close(tell)
            _watch(descriptor, done)
        frozen = True
        try:
            fcntl.ioctl(descriptor, FIFREEZE, 0)
        except OSError:
            frozen = False
        else:
            _thaw(descriptor)
        # The end of the pipe is the word.
        os.close(tell)
        os.waitpid(child, 0)
    finally:
        os.close(done)
        os.close(descriptor)
    return frozen
