# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose /boot is where GRUB can read and not write: how their disk is made."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import image, qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
# The lab's own, which runs as init in the first boot.
FINISH = "usr/local/sbin/oslab-image-finish"
# Each host of these has them, besides what its layout needs.
PACKAGES = ("kexec-tools",)
MIB = 6144
SECONDS = 900.0


@dataclass(frozen=True)
class Layout:
    """What the disk is, and what is needed to read it."""

    name: str
    packages: tuple[str, ...]
    # As the kernel is told it.
    root: str
    fstab: str

    @property
    def script(self) -> Path:
        """Run on this machine, as root: fills a disk image with a directory."""
        return HERE / f"{self.name}.sh"


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "lvm",
            ("lvm2",),
            "/dev/mapper/vg-root",
            "/dev/mapper/vg-root / ext4 errors=remount-ro 0 1\n",
        ),
    )
}


def _run(*argv: object) -> None:
    # Mounts end with it.
    command = ["unshare", "--mount", "sh", *map(str, argv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(map(str, argv))} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def make(layout: Layout, source: Path, place: Path, state: Path, accel: str) -> None:
    """A disk in `state`, which a machine boots by its own GRUB, of the lab's image in `source`."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "fstab").write_text(layout.fstab)
    raw = place / "image.raw"
    qemu.run(["qemu-img", "convert", "-O", "raw", str(source / image.DISK), str(raw)])
    finish = ROOT / "roles/lab/files/rootfs" / FINISH
    _run(HERE / "root.sh", raw, place, finish, *PACKAGES, *layout.packages)
    disk, sectors = place / "disk.raw", MIB * 2048
    with disk.open("wb") as stream:
        stream.write(image.partition_table(sectors, os.urandom(4)))
        stream.truncate(sectors * image.SECTOR)
    _run(layout.script, place)
    _first_boot(layout, place, accel)
    state.mkdir(parents=True, exist_ok=True)
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(disk)]
    qemu.run([*argv, str(state / image.DISK)])
    for name in ("root", "image.raw", "disk.raw"):
        with contextlib.suppress(NotADirectoryError):
            shutil.rmtree(place / name)
        (place / name).unlink(missing_ok=True)


def _first_boot(layout: Layout, place: Path, accel: str) -> None:
    """GRUB is installed by the host itself, which sees the disk that it boots from."""
    append = f"root={layout.root} ro console=ttyS0 panic=-1 init=/{FINISH}"
    files: dict[str, Any] = {"kernel": place / "vmlinuz", "initrd": place / "initrd.img"}
    argv = qemu.direct_boot_argv(accel, append=append, disk=place / "disk.raw", **files)
    boot = qemu.watch_boot(argv, None, SECONDS)
    (place / "first-boot.log").write_text(boot.serial + boot.stderr)
    image.check_finished(boot, "the first boot", SECONDS, qemu.Accel(accel, ""))
