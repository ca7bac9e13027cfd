# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a bootable disk image of Debian from its packages, once per recipe.

    images/<name>-<suite>-<id>/   disk.qcow2 vmlinuz initrd.img packages.txt recipe.json
    images/<name>-<suite>-<id>.log, .lock and, while it is built, .building/

The id is a digest of the recipe: whatever changes the content changes the name, and the finished
directory appears by one rename. What the archive holds today is not part of it on purpose: a lab
must start without a network and not be rebuilt each time Debian publishes an update; `serial` asks
for a fresh one.
"""

from __future__ import annotations

import os
import shlex
import struct
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    locale_environment,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab import recipe as recipes

#: Raised when this code makes another disk out of the same recipe.
FORMAT = 1

SECTOR = 512
#: One MiB in front of the partition: where GRUB's core image goes.
FIRST_SECTOR = 2048

#: A bootstrap starts many programs and mounts file systems. All of that ends with it, however it
#: ends: it has namespaces of its own.
ENCLOSED = ("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child")

#: The script that runs inside the first boot says so when all went well.
FINISHED = "OSLAB-IMAGE-FINISHED"

DISK = "disk.qcow2"
KERNEL = "vmlinuz"
INITRD = "initrd.img"


@dataclass(frozen=True)
class Recipe(recipes.Recipe):
    """All that decides what is in the image."""

    name: str
    suite: str
    variant: str
    packages: Sequence[str]
    size_mib: int
    serial: int
    #: Directory whose files are laid over the root file system.
    overlay: Path
    #: Script run on this host with the root directory and the overlay as arguments.
    customize: Path
    #: Script inside the image that is the first boot's init.
    finish: str

    @property
    def title(self) -> str:
        return f"{self.name}-{self.suite}"

    def facts(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "suite": self.suite,
            "variant": self.variant,
            "packages": sorted(set(self.packages)),
            "size_mib": self.size_mib,
            "serial": self.serial,
            "finish": self.finish,
            "customize": bounded_read.sha256(self.customize),
            "overlay": overlay_facts(self.overlay),
        }


@dataclass
class Builder(recipes.Builder):
    """Builds an image."""

    recipe: Recipe
    directory: Path
    mirrors: Sequence[str] = ()
    apt_options: Sequence[str] = ()
    accel: str = "auto"
    verdicts: Path = Path("accel.json")
    boot_seconds: float = 300.0
    lock_seconds: float = 1800.0
    used_accel: Optional[qemu.Accel] = field(default=None, init=False)

    def exists(self) -> bool:
        return (self.final / DISK).is_file()

    def ensure(self) -> bool:
        if not self.exists() and os.geteuid() != 0:
            raise qemu.QemuError(
                "building a Debian root file system needs root: run this task with 'become: true'"
            )
        return super().ensure()

    def _build(self, lock: int) -> None:
        work = self.beside(".building")
        remove_tree(work)
        work.mkdir()
        try:
            with self.beside(".log").open("wb") as log:
                self._bootstrap(work, lock, log.fileno())
                self._make_disk(work, lock, log.fileno())
                self._first_boot(work, lock, log.fileno())
                self._convert(work, lock, log.fileno())
            remove_tree(work / "root")
            (work / "disk.raw").unlink()
            json_file.write(work / "recipe.json", self.recipe.facts())
            work.rename(self.final)
        finally:
            remove_tree(work)

    def _bootstrap(self, work: Path, lock: int, log: int) -> None:
        self._step(
            bootstrap_argv(self.recipe, work / "root", self.mirrors, self.apt_options), lock, log
        )
        boot = work / "root" / "boot"
        # Version order is not needed: the suite has one kernel, and a fresh root holds it alone.
        for pattern, name in (("vmlinuz-*", KERNEL), ("initrd.img-*", INITRD)):
            found = sorted(boot.glob(pattern))
            if len(found) != 1:
                raise qemu.QemuError(
                    f"the image has {len(found)} files /boot/{pattern} instead of one: "
                    "the list of packages must name exactly one kernel and initramfs-tools"
                )
            qemu.write_file(work / name, found[0].read_bytes())
        listing = qemu.run(["dpkg-query", f"--admindir={work}/root/var/lib/dpkg", "-W"])
        qemu.write_file(work / "packages.txt", listing.out.encode())

    def _make_disk(self, work: Path, lock: int, log: int) -> None:
        identity = str(uuid.uuid4())
        fstab = f"UUID={identity} / ext4 errors=remount-ro 0 1\n"
        qemu.write_file(work / "root" / "etc" / "fstab", fstab.encode())
        disk = work / "disk.raw"
        sectors = self.recipe.size_mib * 2048
        with disk.open("wb") as stream:
            stream.write(partition_table(sectors, os.urandom(4)))
            stream.truncate(sectors * SECTOR)
        self._step(mkfs_argv(work / "root", disk, sectors, identity), lock, log)

    def _first_boot(self, work: Path, lock: int, log: int) -> None:
        """Boot the image once, so that it installs GRUB itself.

        From outside, grub-install would look at this host's disks. Started directly, the image
        sees the very disk that it will boot from.
        """
        accel = qemu.choose_accel(self.accel, work / KERNEL, work / INITRD, self.verdicts)
        self.used_accel = accel
        argv = qemu.direct_boot_argv(
            accel.name,
            work / KERNEL,
            work / INITRD,
            f"root=/dev/vda1 ro console=ttyS0 quiet panic=-1 init={self.recipe.finish}",
            disk=work / "disk.raw",
        )
        # No marker: the guest is to power off by itself, with its disk in order.
        boot = qemu.watch_boot(argv, None, self.boot_seconds, keep=lock)
        os.write(log, boot.serial.encode() + boot.stderr.encode())
        check_finished(boot, "the first boot of the image", self.boot_seconds, accel)
        with (work / "disk.raw").open("rb") as stream:
            if b"GRUB" not in stream.read(SECTOR):
                raise qemu.QemuError("the first boot reported success but left no GRUB in the MBR")

    def _convert(self, work: Path, lock: int, log: int) -> None:
        argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"]
        self._step([*argv, str(work / "disk.raw"), str(work / DISK)], lock, log)

    def _step(self, argv: Sequence[str], lock: int, log: int) -> None:
        os.write(log, f"$ {shlex.join(argv)}\n".encode())
        try:
            done = subprocess.run(
                [*qemu.TIED, *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                # Held until the last of what was started has ended.
                pass_fds=(lock,),
                env=locale_environment(),
            )
        except FileNotFoundError as exc:
            raise qemu.QemuError(f"{qemu.TIED[0]} is not installed on this host") from exc
        if done.returncode != 0:
            path = self.beside(".log")
            tail = qemu.last_lines(path.read_text(errors="replace"), 20)
            program = next(word for word in argv if word not in ENCLOSED)
            raise qemu.QemuError(
                f"{program} failed with status {done.returncode}; last lines of {path}:\n{tail}"
            )


def check_finished(boot: qemu.Boot, what: str, seconds: float, accel: qemu.Accel) -> None:
    """Refuse a boot that was to end by itself, with its script's last word, and did not."""
    if boot.exited == 0 and FINISHED in boot.serial:
        return
    ended = "did not end" if boot.exited is None else f"ended with status {boot.exited}"
    raise qemu.QemuError(
        f"{what} {ended} within {seconds:.0f} s under {accel.name} and did not finish its setup. "
        "Last lines of its serial line:\n"
        + (qemu.last_lines(boot.serial + "\n" + boot.stderr, 20) or "(nothing)")
    )


def overlay_facts(overlay: Path) -> dict[str, list[Any]]:
    """Return what of a directory's files reaches an image."""
    return {
        str(path.relative_to(overlay)): [
            bounded_read.sha256(path),
            bool(path.stat().st_mode & 0o100),
        ]
        for path in sorted(overlay.rglob("*"))
        if path.is_file()
    }


def bootstrap_argv(
    recipe: Recipe, root: Path, mirrors: Sequence[str], apt_options: Sequence[str]
) -> list[str]:
    """Command that fills the root directory."""
    hook = f'{shlex.quote(str(recipe.customize))} "$1" {shlex.quote(str(recipe.overlay))}'
    argv = [
        *ENCLOSED,
        "mmdebstrap",
        "--mode=root",
        "--format=directory",
        f"--variant={recipe.variant}",
    ]
    argv += ["--architectures=amd64", f"--include={','.join(sorted(set(recipe.packages)))}"]
    # Nothing is lost if the build is: no need to wait for this host's disk after each file.
    argv += ["--dpkgopt=force-unsafe-io"]
    argv += [f"--aptopt={option}" for option in apt_options]
    argv += [f"--customize-hook={hook}", recipe.suite, str(root)]
    return [*argv, *mirrors]


def partition_table(sectors: int, signature: bytes) -> bytes:
    """Return an MBR with one bootable Linux partition over the whole disk."""
    # CHS fields at their maximum: "use the LBA fields", as every partitioner writes them.
    chs = b"\xfe\xff\xff"
    entry = struct.pack("<B3sB3sII", 0x80, chs, 0x83, chs, FIRST_SECTOR, sectors - FIRST_SECTOR)
    return bytes(440) + signature + bytes(2) + entry + bytes(48) + b"\x55\xaa"


def mkfs_argv(root: Path, disk: Path, sectors: int, identity: str) -> list[str]:
    """Command that makes and fills the file system inside the partition."""
    argv = ["mke2fs", "-q", "-t", "ext4", "-L", "root", "-U", identity, "-d", str(root)]
    argv += ["-E", f"offset={FIRST_SECTOR * SECTOR}", str(disk)]
    return [*argv, f"{(sectors - FIRST_SECTOR) // 2}k"]


def remove_tree(path: Path) -> None:
    """Delete a directory of ours, never what a cut-off bootstrap may have left mounted in it."""
    if path.exists():
        done = qemu.run(["rm", "-rf", "--one-file-system", "--", str(path)])
        if done.status != 0:
            raise qemu.QemuError(f"cannot delete {path}: {output_summary(done.out, done.err)}")
