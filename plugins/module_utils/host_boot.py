# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another kernel would find on a host: room in /boot, and a program that makes initrds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

KINDS = ("vmlinuz", "initrd.img", "System.map", "config")
INITRD_PROGRAMS = ("update-initramfs", "dracut")


def kernel_kib(boot: Path) -> int:
    """What a kernel takes in /boot: the largest file of each kind, in KiB, rounded up."""
    total = 0
    for kind in KINDS:
        sizes = [file.stat().st_size for file in boot.glob(f"{kind}-*") if file.is_file()]
        total += max(sizes, default=0)
    return -(-total // 1024)


def initrd_program(root: Path) -> str | None:
    for name in INITRD_PROGRAMS:
        if any((root / directory / name).exists() for directory in ("usr/sbin", "usr/bin")):
            return name
    return None


def boot_facts(root: Path) -> dict[str, Any]:
    boot = root / "boot"
    return {
        "boot_separate": boot.is_dir() and boot.stat().st_dev != root.stat().st_dev,
        "boot_kernel_kib": kernel_kib(boot),
        "initrd_program": initrd_program(root),
    }
