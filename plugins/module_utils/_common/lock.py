# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that says who holds it, and that is free as soon as its holder is gone."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HeldError(Exception):
    """The lock is held by another process; the message says by whom."""


@contextmanager
def held(path: Path, timeout: float, purpose: str) -> Iterator[None]:
    """Hold the lock, after waiting at most `timeout` seconds for whoever has it."""
    deadline = time.monotonic() + timeout
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        os.fchmod(descriptor, 0o600)  # who can read a file can lock it
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    stream.seek(0)
                    raise HeldError(stream.read().strip() or "an unknown process") from None
                time.sleep(0.2)
        stream.truncate(0)
        since = time.strftime("%Y-%m-%d %H:%M:%S %Z")
        stream.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}, {purpose}\n")
        stream.flush()
        yield
