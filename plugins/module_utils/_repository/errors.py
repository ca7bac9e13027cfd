# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that cannot be written to, as one sentence: where, why and what to do."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Union

KEPT = "What was published before is served as it was."
# As Go's and C's programs name these errors in LC_ALL=C.
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_READ_ONLY = re.compile(r"read-only file system", re.IGNORECASE)
_FORBIDDEN = re.compile(r"permission denied|operation not permitted", re.IGNORECASE)

_MESSAGES = {
    errno.ENOSPC: "no space left on device",
    errno.EDQUOT: "disk quota exceeded",
    errno.EROFS: "read-only file system",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
}


def remedy(message: str, root: Union[str, Path]) -> str:
    """What to do about an error message of a program or the kernel; '' if it is no disk's fault."""
    if _FULL.search(message):
        return (
            f"Free space on the file system of {root} (du -sh {root}; publish_keep_builds limits "
            f"the builds that stay), then publish again. {KEPT}"
        )
    if _READ_ONLY.search(message):
        return (
            f"Mount the file system of {root} for writing (dmesg says why it is not), then publish "
            f"again. {KEPT}"
        )
    if _FORBIDDEN.search(message):
        return f"Publish as root, who owns {root}. {KEPT}"
    return ""


def sentence(error: OSError, root: Union[str, Path]) -> str:
    """An OSError during the publication into `root`."""
    message = _MESSAGES.get(error.errno or 0) or (error.strerror or str(error))
    where = f"{error.filename}: " if error.filename else ""
    what = f"Cannot publish into {root}: {where}{message}."
    return f"{what} {remedy(message, root) or KEPT}"
