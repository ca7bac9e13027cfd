# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An initrd: a cpio archive in the format "newc", as the kernel unpacks it.

See Documentation/driver-api/early-userspace/buffer-format.rst of the kernel's source.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"
_ALIGNMENT = 4


class Entry(NamedTuple):
    """A file, a directory or a device."""

    #: Without a slash at its beginning.
    name: str
    #: Type and permissions, as `st_mode`.
    mode: int
    data: bytes = b""
    #: Major and minor number of a device.
    device: tuple[int, int] = (0, 0)


def directory(name: str) -> Entry:
    return Entry(name, stat.S_IFDIR | 0o755)


def file(name: str, data: bytes, permissions: int = 0o644) -> Entry:
    return Entry(name, stat.S_IFREG | permissions, data)


def device(name: str, major: int, minor: int) -> Entry:
    """A character device."""
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def with_directories(entries: Iterable[Entry]) -> list[Entry]:
    """The same, each directory that an entry needs in front of it: the kernel makes none."""
    found: dict[str, Entry] = {}
    for entry in entries:
        for above in reversed(PurePosixPath(entry.name).parents[:-1]):
            found.setdefault(str(above), directory(str(above)))
        found[entry.name] = entry
    return [*found.values()]


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive. All belongs to root and is from 1970, so that equal entries give equal bytes."""
    out = bytearray()
    for inode, entry in enumerate([*entries, Entry(_TRAILER, 0)], start=1):
        name = entry.name.encode() + b"\0"
        # inode, mode, uid, gid, links, time, size, device of the file, device, name, checksum
        fields = (
            *(inode, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0),
            *(*entry.device, len(name), 0),
        )
        out += _MAGIC + b"".join(b"%08X" % number for number in fields) + name
        out += bytes(-len(out) % _ALIGNMENT) + entry.data
        out += bytes(-len(out) % _ALIGNMENT)
    return bytes(out)
