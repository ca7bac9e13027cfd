# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a kernel that crashed, as kdump-tools of Debian and Ubuntu leave it.

The crash kernel writes `/var/crash/STAMP/dmesg.STAMP` beside the dump, and reboots.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.kernel_text import Record

PLACE = "var/crash"
LOADED = "sys/kernel/kexec_crash_loaded"
MOST_DIRECTORIES = 200
MOST_RECORDS = 2
_STAMP = re.compile(r"\d{12,14}")


def is_loaded(root: Path) -> bool:
    """Whether a crash kernel waits on this host."""
    try:
        return bounded_read.text(root / LOADED, 64).strip() == "1"
    except OSError:
        return False


def _is_ours(path: Path, kind: int) -> bool:
    """Whether it is of this kind, and nobody but root (or who asks) can write to it.

    On some systems everybody may make files in /var/crash, and links.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    owners = (0, os.geteuid())
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid in owners and not writable


def records(root: Path, since: float, release: str) -> list[Record]:
    """Logs of kernels of this release that were written since then, the newest first.

    `since` is the host's time in seconds since 1970, as its clock was before the trial boot.
    """
    try:
        named = [one for one in (root / PLACE).iterdir() if _STAMP.fullmatch(one.name)]
    except OSError:
        return []
    stamps = sorted((one for one in named if _is_ours(one, stat.S_IFDIR)), reverse=True)
    found: list[tuple[float, Record]] = []
    for stamp in stamps[:MOST_DIRECTORIES]:
        path = stamp / f"dmesg.{stamp.name}"
        if not _is_ours(path, stat.S_IFREG):
            continue
        try:
            seconds = path.stat().st_mtime
            if seconds < since:
                continue
            data = bounded_read.end(path, kernel_text.MOST_BYTES)
        except OSError:
            continue
        lines = kernel_text.lines(data.decode("utf-8", "replace"))
        # A kernel that crashed names itself in its trace.
        if kernel_text.is_of(lines, release):
            found.append((seconds, Record("kdump", str(path), kernel_text.last(lines))))
    found.sort(key=lambda one: -one[0])
    return [record for _seconds, record in found[:MOST_RECORDS]]
