# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a directory is, as the kernel knows it: for hosts on which grub-probe fails."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import (
    Mount,
    parse_mounts,
    read,
)

# As the kernel names them. GRUB has no code that writes to these.
READ_ONLY_FILESYSTEMS = ("btrfs", "squashfs", "zfs")
# How the device mapper's ids begin: what GRUB writes to as it would to a disk.
_WRITABLE = ("CRYPT-", "mpath-", "part")


def read_only_reason(directory: str, root: Path = Path("/")) -> str:
    """Why GRUB could not write there; '' if nothing speaks against it."""
    mount = _mount_of(directory, parse_mounts(read(root / "proc/self/mountinfo")))
    if mount is None:
        return ""
    if mount.fstype in READ_ONLY_FILESYSTEMS:
        return f"{directory} is on {mount.fstype}"
    device = root / "sys/dev/block" / mount.device
    # Of a partition, the disk that it is on.
    if any((device / place / "md").is_dir() for place in ("", "..")):
        return f"{directory} is on software RAID (md)"
    kind = read(device / "dm/uuid").strip()
    if kind.startswith("LVM-"):
        return f"{directory} is on LVM"
    if kind and not kind.startswith(_WRITABLE):
        return f"{directory} is on a device of the device mapper ({kind[:40]})"
    return ""


def _mount_of(directory: str, mounts: dict[str, Mount]) -> Optional[Mount]:
    """What the directory is on: the longest of the mount points above it, or itself."""
    path = Path(directory)
    found = (mounts.get(str(place)) for place in (path, *path.parents))
    return next((mount for mount in found if mount), None)
