# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock files. A lock is free as soon as its holder is gone, however that ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Optional

#: Seconds between two attempts.
INTERVAL = 0.1


class HeldError(Exception):
    """Another process holds the lock; the message names it."""


def open_file(path: Path) -> int:
    """A descriptor of a lock file that nobody else can open: who can read a file can lock it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def acquire(descriptor: int, timeout: Optional[float]) -> bool:
    """Lock an open file. False if it is still held by others after `timeout` seconds.

    Without a timeout it waits for as long as it takes.
    """
    if timeout is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(INTERVAL)


@contextmanager
def held(path: Path, timeout: Optional[float] = None, purpose: str = "") -> Iterator[IO[str]]:
    """Hold the lock of a file; yields the open file. Raises HeldError after `timeout` seconds.

    With a purpose the file names its holder.
    """
    descriptor = open_file(path)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        if not acquire(descriptor, timeout):
            raise HeldError(stream.read().strip() or "an unknown process")
        if purpose:
            stream.truncate(0)
            since = time.strftime("%Y-%m-%d %H:%M:%S %Z")
            holder = f"process {os.getpid()} on {socket.gethostname()}"
            stream.write(f"{holder}, since {since}, {purpose}\n")
            stream.flush()
        yield stream


@contextmanager
def held_and_removed(path: Path) -> Iterator[IO[str]]:
    """Wait for the lock of a file and hold it; the file is removed afterwards."""
    while True:
        with held(path) as stream:
            try:
                current: Optional[int] = path.stat().st_ino
            except FileNotFoundError:
                current = None
            # Otherwise the holder before has removed it, and somebody else may lock a new one.
            if current == os.fstat(stream.fileno()).st_ino:
                try:
                    yield stream
                finally:
                    path.unlink(missing_ok=True)
                return
