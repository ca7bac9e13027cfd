# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment lock of a host: one run at a time, recorded on the host itself.

The file is in /run, so that a lock ends with the boot in which it was acquired. Times are counted
from that boot: a clock that is wrong or set meanwhile makes no difference.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, lock

#: The default of the module, and of the action that names the file.
PATH = "/run/oslab-kernel.claim"
# Seconds within which a process that has locked the file has to unlock it.
TIMEOUT = 10.0
_LARGEST = 64 << 10


@dataclass(frozen=True)
class Lock:
    """The run, for programs and for people; until when, in seconds since the boot."""

    run: str
    text: str
    until: float


def parse(text: str) -> Optional[Lock]:
    """None if the text is no lock of a run."""
    try:
        found = bounded_read.parse_json(text)
        until = float(found["until"])
        return Lock(str(found["run"]), str(found["text"]), until) if math.isfinite(until) else None
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """The file, which is never removed while somebody else may wait for it.

    Nobody else can open it, since whoever can may lock it, and for ever. Raises OSError, EAGAIN if
    it stays locked, EINVAL if it is no file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        _check_file(descriptor, path)
        with contextlib.suppress(OSError):  # of an older release: it could be read by all
            os.fchmod(descriptor, 0o600)
        _wait(descriptor)
        yield stream


def _check_file(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def _wait(descriptor: int) -> None:
    if not lock.acquire(descriptor, TIMEOUT):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _read(stream: IO[bytes]) -> Optional[Lock]:
    return parse(stream.read(_LARGEST).decode("utf-8", "replace"))


def _write(stream: IO[bytes], text: str) -> None:
    stream.seek(0)
    stream.truncate()
    stream.write(text.encode("utf-8", "backslashreplace"))


def acquire(path: Path, wanted: Lock, now: float, gone: str = "") -> Optional[Lock]:
    """Acquire the lock, or extend it: None. Otherwise the lock that another run holds.

    `gone` is a run that ended without releasing its lock, as its own control node knows.
    """
    with _open(path) as stream:
        other = _of_another(_read(stream), wanted.run, now, gone)
        if other:
            return other
        _write(stream, json.dumps(asdict(wanted)) + "\n")
    return None


def _of_another(present: Optional[Lock], run: str, now: float, gone: str) -> Optional[Lock]:
    held = present and present.run not in (run, gone) and present.until > now
    return present if held else None


def holder(path: Path, run: str, now: float, gone: str = "") -> Optional[Lock]:
    """The lock that another run holds. The file is read, and not made if there is none.

    Raises OSError, as `acquire` does.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        _check_file(descriptor, path)
        _wait(descriptor)
        return _of_another(_read(stream), run, now, gone)


def release(path: Path, run: str) -> None:
    """Release the lock if this run holds it."""
    if not path.exists():
        return
    with _open(path) as stream:
        present = _read(stream)
        if present and present.run == run:
            _write(stream, "")
