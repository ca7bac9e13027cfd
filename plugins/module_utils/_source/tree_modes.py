# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners, modes and links of a tree that was just unpacked, as they are to be for any tarball."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._source.archive import (
    SYMLINK,
    ArchiveError,
    check_member,
)

DIRECTORY, PROGRAM, FILE = 0o755, 0o755, 0o644
EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def _file_mode(mode: int) -> int:
    return PROGRAM if mode & EXECUTABLE else FILE


class _Normalizer:
    """Goes through a directory that nobody else can enter yet."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.owner = (os.geteuid(), os.getegid())
        self.names: dict[tuple[int, int], list[int]] = {}  # file → names found, names that it has

    def normalize(self, path: Path) -> None:
        found = path.lstat()
        if (found.st_uid, found.st_gid) != self.owner:
            os.chown(path, *self.owner, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            # Once more, of what is there now: two readers may have read the tarball in two ways.
            check_member(str(path.relative_to(self.top)), SYMLINK, str(path.readlink()))
            return
        if stat.S_ISDIR(found.st_mode):
            wanted = DIRECTORY
        elif stat.S_ISREG(found.st_mode):
            wanted = _file_mode(found.st_mode)
            if found.st_nlink > 1:
                key = (found.st_dev, found.st_ino)
                self.names.setdefault(key, [0, found.st_nlink])[0] += 1
        else:
            raise ArchiveError(f"{path.name!r} is neither a file nor a directory nor a link")
        if stat.S_IMODE(found.st_mode) != wanted:
            path.chmod(wanted)


def normalize(top: Path) -> None:
    """Everybody may read what is below `top`, its owner (who calls) may write, nobody else.

    Raises ArchiveError for links that lead out and for what is no file, directory or link.
    """
    normalizer = _Normalizer(top)
    for directory, below, names in os.walk(top):  # a directory before what is in it
        for name in (*below, *names):
            normalizer.normalize(Path(directory, name))
    if any(found != has for found, has in normalizer.names.values()):
        raise ArchiveError("a file in it has another name outside of the tree")


def discard(top: Path) -> None:
    """Remove a directory, whatever modes a tarball has given to those in it."""
    shutil.rmtree(top, ignore_errors=True)
    for directory, below, _names in os.walk(top):
        for name in below:
            place = Path(directory, name)
            if not place.is_symlink():
                place.chmod(0o700)
    shutil.rmtree(top, ignore_errors=True)
