# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of the faults, on disks of a layout."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import image, qemu
from ansible_collections.oslab.kernel.tests.system.faults.layouts.layout import Layout
from ansible_collections.oslab.kernel.tests.system.faults.machine import (
    KEYS,
    Faulty,
    LostError,
)

MIB = 6144
_MADE = "made-{}.qcow2"
_OTHER = "other-{}.qcow2"


class LayoutMachine(Faulty):
    """The first of its disks is where all machines have it, the others come after that."""

    def __init__(self, directory: Path, state: Path, accel: str, layout: Layout) -> None:
        super().__init__(directory, state, accel)
        self._layout = layout
        # While it runs on the lab's image, and the disks of the layout are empty.
        self.makes = False

    def _others(self) -> list[str]:
        if self.makes:
            return [_MADE.format(number) for number in range(self._layout.disks)]
        return [_OTHER.format(number) for number in range(1, self._layout.disks)]

    def hardware(self) -> list[str]:
        found: list[str] = []
        for name in self._others():
            found += ["-drive", f"file={self.directory / name},if=virtio,format=qcow2"]
        return found

    def make_spare(self, path: Path) -> None:
        del path  # no fault of a layout has one
        for name in self._others():
            if self.makes:
                self._make_empty(self.directory / name)
            else:
                below = ["-F", "qcow2", "-b", str(self.state / name)]
                argv = ["qemu-img", "create", "-q", "-f", "qcow2", *below]
                qemu.run([*argv, str(self.directory / name)])

    @staticmethod
    def _make_empty(path: Path) -> None:
        raw, sectors = path.with_suffix(".raw"), MIB * 2048
        with raw.open("wb") as stream:
            stream.write(image.partition_table(sectors, os.urandom(4)))
            stream.truncate(sectors * image.SECTOR)
        qemu.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path)])
        raw.unlink()

    def save(self, state: Path) -> None:
        super().save(state)
        for name in self._others():
            shutil.move(self.directory / name, state / name)

    def make(self, packages: Path, state: Path) -> str:
        """Start from the lab's image, and make the disks; what was said meanwhile."""
        self.makes = True
        self.wake()
        self.put(packages, "/root/packages.tar")
        said = self.shell(self._layout.script(), 1200)
        with contextlib.suppress(subprocess.SubprocessError):
            self.shell("systemctl poweroff --no-block")
        deadline = time.monotonic() + 180
        while self._machine.process is not None:
            if time.monotonic() > deadline:
                raise LostError("it does not end")
            time.sleep(0.5)
        state.mkdir(parents=True, exist_ok=True)
        for name in KEYS:
            shutil.copy(self.directory / name, state / name)
        shutil.move(self.directory / _MADE.format(0), state / image.DISK)
        for number in range(1, self._layout.disks):
            shutil.move(self.directory / _MADE.format(number), state / _OTHER.format(number))
        self.makes = False
        return said


def closure(packages: tuple[str, ...], installed: set[str], place: Path) -> Path:
    """A tar of these packages, and of those that they need and that are not installed."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    lacking = ["--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"]
    argv = ["apt-cache", "depends", "--recurse", *lacking, "--no-replaces", "--no-enhances"]
    found = subprocess.run([*argv, *packages], capture_output=True, text=True, check=True)
    names = {line for line in found.stdout.splitlines() if line[:1].isalnum()}
    wanted = sorted(names - installed)
    fetch: dict[str, Any] = {"cwd": place, "capture_output": True, "check": True}
    subprocess.run(["apt-get", "-q", "download", *wanted], **fetch)
    archive = place.with_suffix(".tar")
    files = [path.name for path in place.glob("*.deb")]
    subprocess.run(["tar", "-cf", str(archive), "-C", str(place), *files], check=True)
    return archive
