# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive what the kernel of one host sends by netconsole, into a file, within limits.

The messages come as UDP from a kernel that may be dying, so nothing asks who it is. The socket
takes packets of one address and port alone; who can forge these can write into the file, no more.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from pathlib import Path
from typing import Callable

#: Of the host, and of the receiver: Documentation/networking/netconsole.rst
SOURCE_PORT, PORT = 6665, 6666
#: Bytes of one trial boot.
MOST_BYTES = 1 << 20
# A packet of netconsole has at most 1000 bytes, with the header of its extended form some more.
_PACKET = 2048
_LOOK_SECONDS = 1.0


def opened(peer: str, port: int = PORT, source_port: int = SOURCE_PORT) -> socket.socket:
    """A socket for the packets of this address. Raises OSError, ValueError for no IP address.

    Receivers of several hosts have the same port, each its own packets.
    """
    version = ipaddress.ip_address(peer).version
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    found = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(("::" if version == 6 else "0.0.0.0", port))
        found.connect((peer, source_port))
    except OSError:
        found.close()
        raise
    return found


def new_file(path: Path) -> int:
    """An empty file in the place of an earlier one, whose receiver ends then. Raises OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    part.replace(path)
    return descriptor


def forget(path: Path) -> None:
    """Remove what an earlier trial boot left. Raises OSError."""
    path.unlink(missing_ok=True)


def _make_room(descriptor: int) -> int:
    """Keep the end of a full file, where a dying kernel says why; its size then."""
    half = MOST_BYTES // 2
    kept = os.pread(descriptor, half, max(0, os.fstat(descriptor).st_size - half))
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.write(descriptor, kept)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def receive(
    found: socket.socket,
    path: Path,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Write packets to a new file, until the time is over, or another receiver has replaced the
    file. Of more than its limit, the end is kept. The bytes that it has. Raises OSError."""
    descriptor = new_file(path)
    try:
        size = 0
        deadline = clock() + seconds
        found.settimeout(_LOOK_SECONDS)
        while clock() < deadline and _is_at(path, descriptor):
            try:
                data = found.recv(_PACKET)
            except (TimeoutError, socket.timeout, ConnectionError):
                # An ICMP error: nobody is at the other end for now.
                continue
            if size + len(data) > MOST_BYTES:
                size = _make_room(descriptor)
            size += os.write(descriptor, data)
        return size
    finally:
        os.close(descriptor)
