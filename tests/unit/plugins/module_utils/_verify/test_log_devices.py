# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A device has the same name in each boot, wherever sysfs has more than the kernel's name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_devices import identity

PCI = "devices/pci0000:00/0000:00:1c.0/0000:01:00.0"


def device(root: Path, of: str, path: str, **files: str) -> Path:
    """A device of sysfs at `path`, with a link in its class."""
    directory = root / "sys" / path
    directory.mkdir(parents=True)
    link = root / "sys/class" / of / directory.name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(directory, link.parent))
    for name, text in files.items():
        file = directory / name.replace("__", "/")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text}\n")
    return directory


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("nvme0n1", {"wwid": "eui.0025"}, "eui.0025"),
        ("sda", {"device__wwid": "t10.ATA  DISK   1"}, "t10.ATA DISK 1"),
        ("vda", {"serial": "abc"}, "abc"),
        ("dm-7", {"dm__name": "vg-root"}, "vg-root"),
        ("md127", {"md__uuid": "1:2:3"}, "1:2:3"),
        ("loop3", {"loop__backing_file": "/var/lib/snapd/snaps/core_1.snap"}, None),
        ("zram0", {}, "zram0"),
    ],
)
def test_a_disk(tmp_path: Path, name: str, files: dict[str, str], expected: str | None) -> None:
    device(tmp_path, "block", f"devices/virtual/block/{name}", **files)
    assert identity("disk", name, tmp_path) == (expected or next(iter(files.values())))


def test_a_partition(tmp_path: Path) -> None:
    disk = device(tmp_path, "block", f"{PCI}/nvme/nvme0/nvme0n1", wwid="eui.0025")
    device(tmp_path, "block", f"{disk.relative_to(tmp_path / 'sys')}/nvme0n1p2", partition="2")
    assert identity("disk", "nvme0n1p2", tmp_path) == "eui.0025 partition 2"


def test_a_disk_without_a_name_of_its_own(tmp_path: Path) -> None:
    """It is where it hangs; the number of the host adapter is left out, as it changes."""
    device(tmp_path, "block", f"{PCI}/host4/target4:0:1/4:0:1:0/block/sdb")
    assert identity("disk", "sdb", tmp_path) == "0000:01:00.0 0:1:0"
    device(tmp_path, "block", f"{PCI}/host5/target5:0:2/5:0:2:0/block/cciss!c0d0")
    assert identity("disk", "cciss/c0d0", tmp_path) == "0000:01:00.0 0:2:0"


def test_ata_nvme_and_links(tmp_path: Path) -> None:
    device(tmp_path, "ata_port", f"{PCI}/ata5/ata_port/ata5", port_no="3")
    assert identity("ata", "ata5.00", tmp_path) == "0000:01:00.0 port 3.00"
    assert identity("ata", "ata5", tmp_path) == "0000:01:00.0 port 3"
    device(tmp_path, "nvme", f"{PCI}/nvme/nvme0", serial="S4EV", address="0000:01:00.0")
    assert identity("nvme", "nvme0", tmp_path) == "S4EV"
    device(tmp_path, "net", f"{PCI}/net/eth1")
    assert identity("link", "eth1", tmp_path) == "0000:01:00.0"
    device(tmp_path, "net", "devices/virtual/net/veth0")
    assert identity("link", "veth0", tmp_path) == "veth0"


@pytest.mark.parametrize("kind", ["disk", "ata", "nvme", "link", "kept", ""])
@pytest.mark.parametrize("name", ["sda", "..", "/", "a\0b", "ata1.00", "x" * 119])
def test_what_sysfs_does_not_have_keeps_its_name(tmp_path: Path, kind: str, name: str) -> None:
    assert identity(kind, name, tmp_path) == name


def test_it_is_short(tmp_path: Path) -> None:
    device(tmp_path, "block", "devices/virtual/block/sda", wwid="x" * 400)
    assert len(identity("disk", "sda", tmp_path)) == 120
