# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A script: make the builder's devices unchangeable for the program that it becomes.

bubblewrap shows the builder's own /dev/null. Where root starts it, the user inside owns that file,
and programs such as objcopy change the mode of what they write to. On a read-only mount a device
can be written to, but neither its mode nor its times can be changed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

# Those that bubblewrap shows.
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero")

_NEW_MOUNTS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _SLAVE = 1, 32, 4096, 16384, 1 << 19
# What a container's devices may be mounted with, and must not lose.
_KEPT = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC


def protect(devices: Sequence[str] = DEVICES) -> None:
    """In a mount namespace of this process. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(status: int, what: str) -> None:
        if status != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), what)

    def mount(source: str, target: str, flags: int) -> None:
        given = (source.encode(), target.encode(), None, ctypes.c_ulong(flags), None)
        check(libc.mount(*given), target)

    check(libc.unshare(_NEW_MOUNTS), "a mount namespace")
    mount("none", "/", _RECURSIVE | _SLAVE)
    for path in devices:
        mount(path, path, _BIND)
        kept = os.statvfs(path).f_flag & _KEPT
        mount("none", path, _BIND | _REMOUNT | _READ_ONLY | kept)


if __name__ == "__main__":
    try:
        protect()
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit(f"the build root cannot be entered: {error}")
