# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a directory is what the boot loader reads: its file system mounted, and writable."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import parse_mounts


def read_only_reason(directories: Iterable[Path]) -> str:
    """Which of them cannot be written; '' if all can."""
    for directory in directories:
        if os.statvfs(directory).f_flag & os.ST_RDONLY:
            return f"{directory} is mounted read-only"
    return ""


def _unmounted(directory: Path, fstab: str, mountinfo: str) -> str:
    """The mount point around it that /etc/fstab names, and where nothing is mounted; '' if none."""
    rows = [words(line) for line in lines(fstab) if not line.lstrip().startswith("#")]
    named = [PurePosixPath(row[1]) for row in rows if len(row) > 2]
    around = [path for path in named if path in (directory, *directory.parents)]
    mounted = parse_mounts(mountinfo)
    return next((str(path) for path in around if str(path) not in mounted and mounted), "")


def problem(directory: Path, fstab: str, mountinfo: str) -> str:
    """Why nothing may be written to it, and what to do; '' if it may."""
    unmounted = _unmounted(directory, fstab, mountinfo)
    if unmounted:
        return (
            f"{unmounted} is in /etc/fstab and not mounted: what is below it now is not what the "
            f"boot loader reads. Mount it (mount {unmounted}), and have it mounted at boot."
        )
    try:
        read_only = read_only_reason([directory])
    except OSError:  # whoever reads a file there says more
        return ""
    if not read_only:
        return ""
    return (
        f"{read_only}, so that neither a kernel nor a choice can be written there. Mount it "
        "read-write while this runs (mount -o remount,rw)."
    )
