# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, as root, files of a directory that a less privileged user writes to.

Such a user can put a link to any file in the place of his own, at any time. Root could read it for
him. So of a directory that is not root's, only files that belong to its owner are read, and no link
in their place. Where root alone decides what is there, all files are read as usual.

Where such a user also says which files are read, their owner has to be named: any other file is
refused, wherever it is.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read


def leading_to(path: Path) -> Iterator[Path]:
    """Every directory and link that decides what `path` is, the topmost first.

    Raises OSError if links go round in a circle.
    """
    waiting, seen = [Path(os.path.abspath(path))], set()  # noqa: PTH100 - links are looked at here
    try:
        waiting.append(path.resolve())
    except RuntimeError as error:  # Python 3.12 and earlier
        raise OSError(errno.ELOOP, str(error), str(path)) from error
    while waiting:
        end = waiting.pop(0)
        for place in (*reversed(end.parents), end):
            if place not in seen:
                seen.add(place)
                yield place
                if place.is_symlink():
                    target = place.parent / place.readlink()
                    waiting.append(Path(os.path.normpath(target)))


def writer(path: Path) -> int:
    """The first user but root who decides what this path means; 0 if there is none."""
    owners = (place.lstat().st_uid for place in leading_to(path.parent))
    return next((uid for uid in owners if uid != 0), 0)


def uid_of(user: str) -> Optional[int]:
    """The number of a user, None without a name. Raises OSError if there is none."""
    try:
        return pwd.getpwnam(user).pw_uid if user else None
    except KeyError:
        raise OSError(errno.ENOENT, "there is no such user", user) from None


@contextmanager
def opened(path: Path, owner: Optional[int] = None) -> Iterator[int]:
    """A descriptor of a regular file. Raises OSError."""
    uid = owner or 0
    if not uid and os.geteuid() == 0:  # others can read nothing that is not theirs to read
        uid = writer(path)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_NOFOLLOW if uid else 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if uid and error.errno == errno.ELOOP:
            raise PermissionError(errno.EPERM, "a link where a file has to be", str(path)) from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if uid and found.st_uid != uid:
            raise PermissionError(
                errno.EPERM, f"it does not belong to the user number {uid}", str(path)
            )
        yield descriptor
    finally:
        os.close(descriptor)


def content(path: Path, limit: int = bounded_read.TEXT, owner: Optional[int] = None) -> bytes:
    """The bytes of a file, or its first `limit` + 1. Raises OSError."""
    with opened(path, owner) as descriptor, os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read(limit + 1)


def json_object(path: Path) -> Optional[dict[str, Any]]:
    """The object in a file; None if there is no file, or something else in it. Raises OSError."""
    try:
        value = bounded_read.parse_json(content(path, bounded_read.JSON).decode("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def check(path: Path, owner: Optional[int] = None) -> None:
    """Raises OSError if the file would not be read."""
    with opened(path, owner):
        pass


def copy(path: Path, target: Path, owner: Optional[int] = None) -> None:
    """The bytes of a file into another one, of root's. Raises OSError."""
    with (
        opened(path, owner) as descriptor,
        os.fdopen(os.dup(descriptor), "rb") as stream,
        target.open("wb") as copied,
    ):
        shutil.copyfileobj(stream, copied)
