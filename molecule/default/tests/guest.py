# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside the machine under test: sent there as text, in front of one expression.

Written apart from the collection's module on purpose, so that a mistake in one of them shows. What
the syscalls do at large is tested by the programs of files/kernel/selftests.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
from pathlib import Path

libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long

MANIFEST = json.loads(Path(f"/lib/modules/{os.uname().release}/oslab-kernel.json").read_text())
CAPTURE, TRACK = (
    MANIFEST["syscalls"][name] for name in ("capture_memory_snapshot", "track_syscall_usage")
)
MEMINFO = (
    "total", "free", "available", "buffers", "cached", "shmem", "slab", "active", "inactive",
    "swap_total", "swap_free",
)  # fmt: skip


def call(number: int, *arguments: int) -> int:
    # All six: what is not given would be what the registers hold.
    words = (number, *arguments, *[0] * (6 - len(arguments)))
    result: int = libc.syscall(*map(ctypes.c_long, words))
    return result


def capture() -> dict[str, int]:
    buffer = ctypes.create_string_buffer(96)
    assert call(CAPTURE, ctypes.addressof(buffer)) == 0
    return dict(zip((*MEMINFO, "timestamp"), struct.unpack("12Q", buffer.raw)))


def track() -> dict[str, list[int]]:
    """Name to count and time, in the kernel's order."""
    buffer = ctypes.create_string_buffer(4 * 32)
    assert call(TRACK, ctypes.addressof(buffer), 4) == 4
    return {
        name.rstrip(b"\0").decode(): [count, stamp]
        for name, count, stamp in struct.iter_unpack("16sQQ", buffer.raw)
    }


def keyed(path: str) -> dict[str, int]:
    """Lines of `key: number`."""
    pairs = (line.split(":") for line in Path(path).read_text().splitlines())
    return {key.strip(): int(rest.split()[0]) for key, rest in pairs}


def kernel_log() -> list[str]:
    """The ring buffer by syslog(2), which escapes nothing, without level and time."""
    size = libc.klogctl(10, None, 0) * 4
    buffer = ctypes.create_string_buffer(size)
    length = libc.klogctl(3, buffer, size)
    assert length > 0
    lines = buffer.raw[:length].decode().splitlines()
    return [line.split("] ", 1)[1] if "] " in line else line for line in lines]
