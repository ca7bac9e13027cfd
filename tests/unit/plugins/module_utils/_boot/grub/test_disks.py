# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a directory is, by what the kernel says."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.disks import read_only_reason

MOUNTS = (
    "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "2 1 253:0 / /boot rw - {} /dev/x rw\n"
    "3 1 8:2 / /bo rw - btrfs /dev/sda2 rw\n"
)


@pytest.mark.parametrize(
    ("filesystem", "files", "reason"),
    [
        ("ext4", {}, ""),
        ("ext4", {"dm/uuid": "LVM-abc\n"}, "LVM"),
        ("xfs", {"md/level": "raid1\n"}, "software RAID (md)"),
        ("ext4", {"dm/uuid": "CRYPT-LUKS2-abc-root\n"}, ""),
        ("ext4", {"dm/uuid": "part1-mpath-3600\n"}, ""),
        ("ext4", {"dm/uuid": "DMRAID-isw\n"}, "a device of the device mapper (DMRAID-isw)"),
        ("btrfs", {}, "btrfs"),
        ("zfs", {}, "zfs"),
    ],
)
def test_why_grub_cannot_write(
    tmp_path: Path, filesystem: str, files: dict[str, str], reason: str
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(MOUNTS.format(filesystem))
    device = tmp_path / "sys/dev/block/253:0"
    device.mkdir(parents=True)
    for name, text in files.items():
        (device / name).parent.mkdir(exist_ok=True)
        (device / name).write_text(text)
    found = read_only_reason("/boot/grub", tmp_path)
    assert found == (f"/boot/grub is on {reason}" if reason else "")


def test_a_partition_of_a_raid(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("1 1 259:1 / / rw - ext4 /dev/md0p1 rw\n")
    partition = tmp_path / "sys/devices/virtual/block/md0/md0p1"
    partition.mkdir(parents=True)
    (partition.parent / "md").mkdir()
    (tmp_path / "sys/dev/block").mkdir(parents=True)
    (tmp_path / "sys/dev/block/259:1").symlink_to(partition)
    assert read_only_reason("/boot/grub", tmp_path) == "/boot/grub is on software RAID (md)"


def test_a_host_of_which_nothing_is_known(tmp_path: Path) -> None:
    assert read_only_reason("/boot/grub", tmp_path) == ""
