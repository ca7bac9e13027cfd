# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose /boot is where GRUB can read and not write: how their disk is made.

The lab's own host makes it: it puts its root file system on a second disk, with the programs that
an administrator would take.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._lab import image, qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty

HERE = Path(__file__).resolve().parent
# Each host of these has them, besides what its layout needs.
PACKAGES = ("kexec-tools",)
MIB = 6144
SECONDS = 1800.0


@dataclass(frozen=True)
class Layout:
    """What the disk is, and what is needed to make and read it."""

    name: str
    packages: tuple[str, ...]

    @property
    def script(self) -> Path:
        """Makes the file system for `/` on the host; move.sh reads it."""
        return HERE / f"{self.name}.sh"


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("lvm", ("lvm2",)),
        Layout("raid1", ("mdadm",)),
        Layout("btrfs", ("btrfs-progs",)),
    )
}


class Mover(Faulty):
    """The lab's host with a second disk, for which scripts have a name."""

    @property
    def target(self) -> Path:
        return self.directory / "target.qcow2"

    def hardware(self) -> list[str]:
        if not self.target.exists():
            qemu.run(["qemu-img", "create", "-q", "-f", "qcow2", str(self.target), f"{MIB}M"])
        return [
            *super().hardware(),
            *("-drive", f"file={self.target},if=none,id=target,format=qcow2"),
            *("-device", "virtio-blk-pci,drive=target,serial=target"),
        ]


def download(layout: Layout, status: str, place: Path) -> Path:
    """A tar of the packages that a host with this dpkg's status lacks.

    By this machine's list of what there is, which is of the same release.
    """
    packages = place / "packages"
    (packages / "partial").mkdir(parents=True)
    (place / "status").write_text(status)
    options = {
        "Debug::NoLocking": "1",
        "Dir::State::status": str(place / "status"),
        "Dir::Cache::archives": f"{packages}/",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
    }
    argv = ["apt-get", "-q", "-y", "--no-install-recommends", "--download-only"]
    argv += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    argv += ["install", *PACKAGES, *layout.packages]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    archive = place / "packages.tar"
    subprocess.run(["tar", "-cf", str(archive), "-C", str(packages), "."], check=True)
    return archive


def make(layout: Layout, source: Path, place: Path, state: Path, accel: str) -> None:
    """A disk in `state`, which a machine boots by its own GRUB, of the lab's image in `source`."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    host = Mover(place / "machine", source, accel)
    with contextlib.closing(host):
        host.wake()
        archive = download(layout, host.shell("cat /var/lib/dpkg/status"), place)
        host.put(archive, "/root/packages.tar")
        host.put(layout.script, "/root/layout.sh")
        host.put(HERE / "move.sh", "/root/move.sh")
        (place / "move.log").write_text(host.shell("sh -ex /root/move.sh 2>&1", seconds=SECONDS))
        host.off()
        state.mkdir(parents=True, exist_ok=True)
        shutil.move(host.target, state / image.DISK)
    shutil.rmtree(place / "machine")
