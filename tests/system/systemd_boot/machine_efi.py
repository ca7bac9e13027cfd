# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of the faults, with an ESP on its second disk, and firmware that boots from there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.system.faults.firmware import PLAIN
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty
from ansible_collections.oslab.kernel.tests.system.systemd_boot import esp

HERE = Path(__file__).resolve().parent
ESP_MIB = 256
# All that it keeps while it is off.
KEPT = ("disk.qcow2", "spare.qcow2", "variables.fd")


class EfiMachine(Faulty):
    """It starts as the lab's image does, until its firmware is changed."""

    def __init__(self, directory: Path, state: Path, accel: str) -> None:
        super().__init__(directory, state, accel)
        self._accel = accel
        self.efi = False

    def hardware(self) -> list[str]:
        found = super().hardware()
        if self.efi:
            found += PLAIN.arguments(self.directory / "variables.fd", self._accel)
        return found

    def make_spare(self, path: Path) -> None:
        raw = path.with_suffix(".raw")
        esp.make(raw, ESP_MIB)
        qemu.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(path)])
        raw.unlink()
        shutil.copy(PLAIN.variables, self.directory / "variables.fd")

    def look(self) -> dict[str, Any]:
        """How it is; what a loader is asked of systemd-boot, though GRUB is there, too."""
        return {**super().look(), **self.program_output(HERE / "look.py")}

    def copy(self, source: Path, target: Path) -> None:
        """What it keeps, from a directory to another."""
        for name in KEPT:
            shutil.copy(source / name, target / name)
