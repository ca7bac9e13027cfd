# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose /boot is where GRUB can read and not write: how their disks are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Each host of these has them, besides what its layout needs.
PACKAGES = ("kexec-tools",)


@dataclass(frozen=True)
class Layout:
    """What the disks are, and what is needed to read them."""

    name: str
    packages: tuple[str, ...]
    # The disk that it boots from, and others that hold the same.
    disks: int = 1

    def script(self) -> str:
        """Run on a host that has these empty disks after its own: they get a copy of it."""
        return (HERE / "functions.sh").read_text() + (HERE / f"{self.name}.sh").read_text()


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("lvm", ("lvm2",)),
        Layout("raid1", ("mdadm",), disks=2),
        Layout("luks", ("lvm2", "cryptsetup-initramfs")),
    )
}
