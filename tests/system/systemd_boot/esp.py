# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk with one partition, of the type on which firmware looks for loaders; not formatted."""

from __future__ import annotations

import struct
import uuid
import zlib
from pathlib import Path

SECTOR = 512
ENTRIES, ENTRY = 128, 128
EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
# The first sector of the partition; as many are left free at the end.
ALIGNED = 2048


def _header(here: int, there: int, table: int, last: int, disk: uuid.UUID, checksum: int) -> bytes:
    def packed(own: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x10000,
            92,
            own,
            0,
            here,
            there,
            34,
            last - 33,
            disk.bytes_le,
            table,
            ENTRIES,
            ENTRY,
            checksum,
        )

    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def make(path: Path, mib: int) -> None:
    """Write it, as a raw image."""
    last = mib * 2048 - 1
    disk, partition = uuid.uuid4(), uuid.uuid4()
    name = "ESP".encode("utf-16-le").ljust(72, b"\0")
    entry = struct.pack(
        "<16s16sQQQ72s", EFI_SYSTEM.bytes_le, partition.bytes_le, ALIGNED, last - ALIGNED, 0, name
    )
    entries = entry.ljust(ENTRIES * ENTRY, b"\0")
    checksum = zlib.crc32(entries)
    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, last)
    with path.open("wb") as file:
        file.truncate((last + 1) * SECTOR)
        file.seek(446)
        file.write(protective)
        file.seek(510)
        file.write(b"\x55\xaa")
        file.write(_header(1, last, 2, last, disk, checksum) + entries)
        file.seek((last - 32) * SECTOR)
        file.write(entries + _header(last, 1, last - 32, last, disk, checksum))
