# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flush a file system so that a boot loader can read it.

A boot loader does not replay a journal. For half a minute synced data may be in the journal alone,
and after a power cut the loader does not find it. To freeze a file system empties its journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from pathlib import Path

FIFREEZE = 0xC0045877
FITHAW = 0xC0045878
#: Nobody thaws a file system for a process that was killed.
WATCH_SECONDS = 10.0


def _thaw(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, FITHAW, 0)


def _watch(descriptor: int, done: int) -> None:
    """Thaw even if the other process does not report in time that it is done."""
    select.select([done], [], [], WATCH_SECONDS)
    _thaw(descriptor)
    os._exit(0)


def flush(directory: Path) -> bool:
    """Empty the journal below this directory. False where that is not possible or not needed."""
    os.sync()
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    done, report = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            os.close(report)
            _watch(descriptor, done)
        frozen = True
        try:
            fcntl.ioctl(descriptor, FIFREEZE, 0)
        except OSError:
            frozen = False
        else:
            _thaw(descriptor)
        # The end of the pipe is the report.
        os.close(report)
        os.waitpid(child, 0)
    finally:
        os.close(done)
        os.close(descriptor)
    return frozen
