# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are not like the lab's: other disks, other firmware, hardening.

The lab's own host makes each of them, with the programs that an administrator would take.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._lab import image, qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError
from ansible_collections.oslab.kernel.tests.system.faults import firmware
from ansible_collections.oslab.kernel.tests.system.faults.hosts import image_key
from ansible_collections.oslab.kernel.tests.system.faults.machine import KEYS, Faulty

HERE = Path(__file__).resolve().parent
MIB = 6144
SECONDS = 1800.0
INSTALL = """
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir /root/packages
# The initrd is made once, when all else is there: that takes minutes in an emulated machine.
conf=/etc/initramfs-tools/update-initramfs.conf
sed -i 's/^update_initramfs=.*/update_initramfs=no/' $conf
tar -xf /root/packages.tar -C /root/packages
apt-get -q -y --no-install-recommends install /root/packages/*.deb
sed -i 's/^update_initramfs=.*/update_initramfs=yes/' $conf
rm -r /root/packages /root/packages.tar
"""


# What a machine's firmware keeps, beside its disk.
VARIABLES = "variables.fd"
# What move.sh and the scripts of moved hosts call to lay out the other disk.
PARTITIONS = ("fdisk",)
# In the name of a package: the release that the lab's image runs.
RUNNING = "RELEASE"


@dataclass(frozen=True)
class Host:
    """What is different, and what is needed to make and run it."""

    name: str
    packages: tuple[str, ...]
    # Its root file system is moved to another disk.
    moved: bool = True
    # GRUB cannot write there: kexec starts the trial boot, and the default is pinned.
    pinned: bool = False
    # Its firmware is UEFI; without one it is the BIOS.
    firmware: firmware.Firmware | None = None
    # Its shim trusts the key that has signed the image.
    signed: bool = False
    # It gets the headers, which are thousands of files, and no rows but those about them.
    headers: bool = False
    # The host whose script makes this one, too; its own if there is none.
    like: str = ""

    @property
    def good(self) -> str:
        """The row of the table in which nothing is wrong."""
        if self.pinned:
            return "confirmed-pinned"
        return "confirmed-secure" if self.signed else "confirmed"

    @property
    def script(self) -> Path:
        """Run on the host; for one that is moved, a part of move.sh."""
        return HERE / f"{self.like or self.name}.sh"


UEFI = ("grub-efi-amd64", "grub-efi-amd64-signed", "shim-signed", "dosfstools")
HOSTS = {
    host.name: host
    for host in (
        Host("lvm", ("kexec-tools", "lvm2"), pinned=True),
        Host("raid1", ("kexec-tools", "mdadm"), pinned=True),
        Host("btrfs", ("kexec-tools", "btrfs-progs"), pinned=True),
        Host("luks", ("cryptsetup", "cryptsetup-initramfs")),
        Host("uefi", UEFI, firmware=firmware.PLAIN),
        Host("secure-boot", UEFI, firmware=firmware.SECURE, signed=True, like="uefi"),
        Host(
            "lvm-uefi",
            ("kexec-tools", "lvm2", *UEFI),
            pinned=True,
            firmware=firmware.PLAIN,
        ),
        Host(
            "hardened",
            (
                *("apparmor", "apt-listchanges", "etckeeper", "molly-guard", "needrestart"),
                *("openssh-server", "unattended-upgrades"),
            ),
            moved=False,
        ),
        Host("dkms", ("dkms", "gcc", "libc6-dev", f"linux-headers-{RUNNING}"), False, headers=True),
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
            # Behind all others: it has no boot loader yet.
            *("-device", "virtio-blk-pci,drive=target,serial=target,addr=0x10"),
        ]


class EfiHost(Faulty):
    """With firmware that keeps its variables beside the disk."""

    def __init__(self, kind: Host, directory: Path, state: Path, accel: str) -> None:
        super().__init__(directory, state, accel)
        assert kind.firmware is not None
        self._firmware = kind.firmware
        self._accel = accel
        self._signed = kind.signed

    def hardware(self) -> list[str]:
        flash = self._firmware.arguments(self.directory / VARIABLES, self._accel)
        return [*super().hardware(), *flash]

    def make_spare(self, path: Path) -> None:
        super().make_spare(path)
        kept, own = self.state / VARIABLES, self.directory / VARIABLES
        if kept.exists():
            shutil.copy(kept, own)
            return
        shutil.copy(self._firmware.variables, own)
        if self._signed:
            firmware.enrol(own, image_key.CERTIFICATE)

    def save(self, state: Path) -> None:
        super().save(state)
        shutil.copy(self.directory / VARIABLES, state / VARIABLES)


def download(packages_wanted: Sequence[str], status: str, place: Path) -> Path:
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
    argv += ["install", *packages_wanted]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    archive = place / "packages.tar"
    (packages / "partial").rmdir()
    subprocess.run(["tar", "-cf", str(archive), "-C", str(packages), "."], check=True)
    return archive


def make(host: Host, source: Path, place: Path, state: Path, accel: str) -> None:
    """A disk in `state`, which a machine boots by its own GRUB, of the lab's image in `source`."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    state.mkdir(parents=True, exist_ok=True)
    machine = (Mover if host.moved else Faulty)(place / "machine", source, accel)
    with contextlib.closing(machine):
        machine.wake()
        release = machine.shell("uname -r").strip()
        names = [name.replace(RUNNING, release) for name in host.packages]
        names += PARTITIONS if host.moved else ()
        log = ""
        # The image may have them already: this machine knows the packages of its own release alone.
        have = f"if dpkg-query --show {' '.join(names)} >/dev/null 2>&1; then echo all; fi"
        if not machine.shell(have):
            archive = download(names, machine.shell("cat /var/lib/dpkg/status"), place)
            machine.put(archive, "/root/packages.tar")
            log = machine.shell(f"exec 2>&1\n{INSTALL}", seconds=SECONDS)
        machine.put(host.script, "/root/host.sh")
        machine.put(HERE / "move.sh", "/root/move.sh")
        script = "/root/move.sh" if host.moved else "/root/host.sh"
        log += machine.shell(f"sh -ex {script} 2>&1; rm /root/move.sh /root/host.sh", SECONDS)
        (place / "made.log").write_text(log)
        machine.off()
        made = machine.target if isinstance(machine, Mover) else machine.directory / image.DISK
        shutil.move(made, state / image.DISK)
        # The image takes an identity once, in its first boot.
        for name in KEYS:
            shutil.copy(machine.directory / name, state / name)
    shutil.rmtree(place / "machine")
