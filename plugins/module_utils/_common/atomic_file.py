# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced in one step and are on the disk before they bear their name.

A reader, a killed run and a power cut leave the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Optional, Union

# Seconds after which a part belongs to a run that was killed.
STALE = 3600


def write(
    path: Path, content: Union[str, bytes], mode: Optional[int] = None, *, durable: bool = True
) -> None:
    """Replace the file. Without a mode it has the file system's own, as on FAT.

    Not `durable` is a file that is of no use after a power cut: nobody waits for the disk.
    Raises OSError, ENOSPC where the disk is full; the file that was there is as it was.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    _sweep(path)
    # No boot loader looks at names like that. Another writer of the same file has another.
    descriptor, name = tempfile.mkstemp(".oslab", f".{path.name}.", path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if durable:
        sync(path.parent)


def _sweep(path: Path) -> None:
    """Remove what killed runs left of this file: a boot partition is small."""
    part = re.compile(rf"\.{re.escape(path.name)}(\.[a-z0-9_]{{8}})?\.oslab")
    for place in path.parent.iterdir():
        if part.fullmatch(place.name):
            with contextlib.suppress(OSError):
                if place.lstat().st_mtime < time.time() - STALE:
                    place.unlink()


def rename(old: Path, new: Path) -> None:
    """Rename a file whose content is on the disk already."""
    old.replace(new)
    sync(new.parent)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a directory's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: Path) -> None:
    """Wait until all that was written to the file system of `path` is on the disk.

    Cheaper than a file at a time where there are many. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
