# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a box for Vagrant's libvirt provider of an image of `qemu_image`, once per content.

    boxes/<name>-<id>.box   and, while it is made, .building/ and .lock beside it

The image boots once, on an overlay, with a second disk that is a tar of files. Its shell unpacks
them and goes on with a script among them, which makes the user that Vagrant logs in as. What comes
out is flattened: a box needs no other file.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._lab import image as lab_image
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab import recipe as recipes

#: Raised when this code makes another box out of the same recipe.
FORMAT = 1

GIB = 1024**3


@dataclass(frozen=True)
class Recipe(recipes.Recipe):
    """All that decides what is in the box, and so its name: libvirt keeps disks by name."""

    name: str
    #: Directory of a finished image, named after its content.
    image: Path
    #: Directory whose files are laid over the root file system.
    overlay: Path
    #: Settings that come with the box.
    vagrantfile: Path
    #: Script inside the image that ends the boot.
    finish: str

    def facts(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "image": self.image.name,
            "overlay": lab_image.overlay_facts(self.overlay),
            "vagrantfile": bounded_read.sha256(self.vagrantfile),
            "finish": self.finish,
        }


@dataclass
class Builder(recipes.Builder):
    """Makes a box."""

    suffix = ".box"
    recipe: Recipe
    directory: Path
    accel: qemu.Accel
    boot_seconds: float = 300.0
    lock_seconds: float = 1800.0

    def _build(self, lock: int) -> None:
        work = self.beside(".building")
        lab_image.remove_tree(work)
        work.mkdir()
        try:
            base = str((self.recipe.image / lab_image.DISK).resolve())
            overlay, disk = work / "overlay.qcow2", work / "box.img"
            qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, str(overlay))
            pack(self.recipe.overlay, work / "files.tar")
            self._boot(work, lock)
            qemu_img("convert", "-O", "qcow2", str(overlay), str(disk))
            info = json.loads(qemu_img("info", "--output=json", str(disk)))
            described = metadata(int(info["virtual-size"]))
            write_box(work / "box.tar.gz", described, self.recipe.vagrantfile, disk)
            (work / "box.tar.gz").rename(self.final)
        finally:
            lab_image.remove_tree(work)

    def _boot(self, work: Path, lock: int) -> None:
        boot = qemu.watch_boot(
            boot_argv(self.recipe, self.accel.name, work), None, self.boot_seconds, keep=lock
        )
        what = f"the boot that turns {self.recipe.image.name} into a box"
        lab_image.check_finished(boot, what, self.boot_seconds, self.accel)


def boot_argv(recipe: Recipe, accel: str, work: Path) -> list[str]:
    """Command that boots the image into a shell that unpacks the second disk."""
    # What is behind `--` goes to init. No `=` in it: the kernel would take it for a variable.
    append = (
        "root=/dev/vda1 rw console=ttyS0 quiet panic=-1 init=/bin/sh -- -c "
        f'"tar -xf /dev/vdb -C / && exec {recipe.finish}"'
    )
    argv = qemu.direct_boot_argv(
        accel, recipe.image / lab_image.KERNEL, recipe.image / lab_image.INITRD, append
    )
    for name, options in (
        ("overlay.qcow2", "format=qcow2,cache=unsafe"),
        ("files.tar", "format=raw,readonly=on"),
    ):
        argv += ["-drive", f"file={qemu.escape(str(work / name))},if=virtio,{options}"]
    return argv


def pack(overlay: Path, archive: Path) -> None:
    """Put a directory's files into a tar that is the same whoever has the checkout."""
    with tarfile.open(archive, "w") as tar:
        for path in sorted(overlay.rglob("*")):
            # No directories: those that the image has keep their modes.
            if path.is_file():
                item = tarfile.TarInfo(str(path.relative_to(overlay)))
                item.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                _add(tar, item, path)


def metadata(virtual_bytes: int) -> bytes:
    """Return what the provider reads first; it counts the disk's size in GiB."""
    size = -(-virtual_bytes // GIB)
    return json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": size}).encode()


def write_box(box: Path, described: bytes, vagrantfile: Path, disk: Path) -> None:
    """Put the three files of a box together."""
    # The fastest compression: the box is unpacked on the same machine.
    with tarfile.open(box, "w:gz", compresslevel=1) as tar:
        item = tarfile.TarInfo("metadata.json")
        item.size = len(described)
        tar.addfile(item, io.BytesIO(described))
        _add(tar, tarfile.TarInfo("Vagrantfile"), vagrantfile)
        _add(tar, tarfile.TarInfo("box.img"), disk)


def _add(tar: tarfile.TarFile, item: tarfile.TarInfo, path: Path) -> None:
    item.size = path.stat().st_size
    with path.open("rb") as stream:
        tar.addfile(item, stream)


def qemu_img(*arguments: str) -> str:
    """Run it, return what it printed."""
    done = qemu.run(["qemu-img", *arguments])
    if done.status != 0:
        output = output_summary(done.out, done.err)
        raise qemu.QemuError(f"qemu-img {' '.join(arguments)} failed: {output}")
    return done.out


def choose_accel(image: Path, requested: str, verdicts: Path) -> qemu.Accel:
    """Choose KVM or TCG, by the image's own kernel."""
    kernel = image / lab_image.KERNEL
    if not kernel.is_file():
        raise qemu.QemuError(f"{image} is no image of oslab.kernel.qemu_image: it has no kernel")
    return qemu.choose_accel(requested, kernel, image / lab_image.INITRD, verdicts)


def driver(accel: qemu.Accel) -> str:
    """Return libvirt's word for an accelerator."""
    return "kvm" if accel.name == "kvm" else "qemu"
