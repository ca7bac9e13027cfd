# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GNU build id: the linker's hash of an image, in the file and in the running kernel alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

NT_GNU_BUILD_ID = 3
PT_NOTE = 4

# Notes are some hundred bytes; headers that announce more, all together, are broken.
LARGEST = 1 << 20


class Note(NamedTuple):
    name: bytes
    type: int
    content: bytes


def parse_notes(data: bytes) -> Iterator[Note]:
    """The notes of a segment, or of /sys/kernel/notes; what is cut off is left out."""
    offset = 0
    while offset + 12 <= len(data):
        name_size, size, kind = struct.unpack_from("=III", data, offset)
        offset += 12
        name = data[offset : offset + name_size]
        offset += -(-name_size // 4) * 4
        content = data[offset : offset + size]
        offset += -(-size // 4) * 4
        if len(name) == name_size and len(content) == size:
            yield Note(name.rstrip(b"\0"), kind, content)


def gnu_build_id(data: bytes) -> str:
    """In hexadecimal digits, as `file` and `readelf -n` print it; empty if there is none."""
    for note in parse_notes(data):
        if note.name == b"GNU" and note.type == NT_GNU_BUILD_ID:
            return note.content.hex()
    return ""


def file_build_id(path: Path) -> str:
    """Of an ELF file of this machine's byte order; empty if it is none, or has none.

    Whatever is in the file, nothing is raised.
    """
    try:
        with path.open("rb") as stream:
            return next(filter(None, map(gnu_build_id, _note_segments(stream))), "")
    except (OSError, struct.error, ValueError, OverflowError):  # the last two: a place too far
        return ""


def _note_segments(stream: BinaryIO) -> Iterator[bytes]:
    identity = stream.read(16)
    if identity[:5] not in (b"\x7fELF\1", b"\x7fELF\2"):
        return
    wide = identity[4] == 2
    # From e_type to e_phnum.
    header = struct.Struct("=HHIQQQIHHH" if wide else "=HHIIIIIHHH")
    fields = header.unpack(stream.read(header.size))
    start, entry_size, entries = fields[4], fields[8], fields[9]
    left = LARGEST
    for index in range(entries):
        stream.seek(start + index * entry_size)
        entry = stream.read(entry_size)
        if wide:
            kind, _flags, offset, _vaddr, _paddr, size = struct.unpack_from("=IIQQQQ", entry)
        else:
            kind, offset, _vaddr, _paddr, size = struct.unpack_from("=IIIII", entry)
        # Each may name the same bytes again.
        if kind == PT_NOTE and size <= left:
            left -= size
            stream.seek(offset)
            yield stream.read(size)
