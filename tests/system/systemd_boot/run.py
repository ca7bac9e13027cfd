#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try kernels on a host that systemd-boot starts: bad ones, a good one, back again, and gone.

    run.py [--again] [NAME]...

A machine in QEMU, made of the lab's image, gets an ESP with Debian's systemd-boot and boots from
there, under OVMF. What is done to it one after the other is in stages.py; all of it by the
playbooks, from what the lab's builder has published. With --again it begins with the machine as an
earlier run has prepared it. The exit status is 0 if all is well.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults.firmware import PLAIN
from ansible_collections.oslab.kernel.tests.system.faults.harness import (
    CACHE,
    FAILURES,
    Harness,
    add_harness_options,
)
from ansible_collections.oslab.kernel.tests.system.faults.stage import Stage
from ansible_collections.oslab.kernel.tests.system.systemd_boot import kernel_modules
from ansible_collections.oslab.kernel.tests.system.systemd_boot.machine_efi import EfiMachine
from ansible_collections.oslab.kernel.tests.system.systemd_boot.stages import STAGES, Found

HERE = Path(__file__).resolve().parent

PACKAGES = ("systemd-boot", "systemd-boot-efi", "dosfstools")


class Workshop(Harness):
    """Who prepares the machine and runs playbooks against it."""

    def machine(self, state: Path) -> EfiMachine:
        return EfiMachine(self.lane / "machine", state, self.accel)

    @property
    def prepared(self) -> Path:
        return self.work / "prepared"

    def packages(self) -> Path:
        place = self.work / "packages"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        fetch = ["apt-get", "-q", "download", *PACKAGES]
        done = subprocess.run(fetch, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunError(f"{' '.join(fetch)} failed:\n{done.stderr[-1000:]}")
        archive = place.with_suffix(".tar")
        names = [path.name for path in place.glob("*.deb")]
        subprocess.run(["tar", "-cf", str(archive), "-C", str(place), *names], check=True)
        return archive

    def put_modules(self, host: EfiMachine) -> None:
        host.put(self.modules, "/root/keep/modules.tar")
        host.shell("tar -C / --keep-directory-symlink -xf /root/keep/modules.tar; sync")

    @functools.cached_property
    def modules(self) -> Path:
        trees = sorted(CACHE.glob("work/trees/*/linux/Makefile"))
        if not trees:
            raise RunError(f"no kernel tree below {CACHE}/work/trees: run `make quickstart` first")
        headers = self.repository.package("headers")
        return kernel_modules.build(trees[-1].parent, headers, self.work / "modules")

    def prepare(self, host: EfiMachine) -> None:
        """A host that boots by systemd-boot, and has what its new kernel will need."""
        log_line("booting the lab's image, as it is")
        host.wake()
        host.put(self.packages(), "/root/packages.tar")
        log_line("making an ESP with systemd-boot")
        log_line(host.shell((HERE / "prepare.sh").read_text(), 600))
        host.off()
        host.efi = True
        log_line("booting it from there")
        host.power_on()
        host.wait(600)
        self.stock_listing.write_text(json.dumps(host.listing()))
        self.put_modules(host)
        host.off()
        shutil.rmtree(self.prepared, ignore_errors=True)
        self.prepared.mkdir()
        host.copy(host.directory, self.prepared)

    @property
    def stock_listing(self) -> Path:
        return self.work / "listing.json"


class Visit(Stage):
    """The host during one stage."""

    def __init__(self, workshop: Workshop, name: str, host: EfiMachine) -> None:
        super().__init__(workshop, name, host)
        self._efi = host
        self._workshop = workshop
        self.release = workshop.repository.release
        self.arguments = workshop.arguments

    def look(self) -> dict[str, Any]:
        return self._efi.look()

    def wait(self) -> None:
        self._efi.wait(900)

    def put_modules(self) -> None:
        self._workshop.put_modules(self._efi)

    def mark(self) -> None:
        self._efi.mark()


def row(name: str, found: Found, seconds: float) -> str:
    problems = "; ".join(found.problems) or "as it should be"
    return f"{name:12} {seconds:5.0f} s  {' '.join(found.observed)}  {problems}"


def run(options: argparse.Namespace, workshop: Workshop) -> bool:
    good = True
    host = workshop.machine(workshop.image)
    with contextlib.closing(host):
        if options.again and workshop.prepared.is_dir():
            host.directory.mkdir(parents=True, exist_ok=True)
            host.copy(workshop.prepared, host.directory)
        else:
            workshop.prepare(host)
        host.efi = True
        host.power_on()
        host.wait(600)
        for name, stage in STAGES.items():
            if options.names and name not in options.names:
                continue
            log_line(name)
            started = time.monotonic()
            visit = Visit(workshop, name, host)
            visit.mark()
            found = stage(visit)
            (workshop.work / "logs" / f"{name}.serial.log").write_text(visit.serial())
            log_line(row(name, found, time.monotonic() - started))
            if visit.message:
                log_line(visit.message)
            good = good and not found.problems
        host.off()
    return good


def main(argv: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a stage; all if there is none")
    add_harness_options(parser, "systemd-boot", fast=False)
    options = parser.parse_args(argv)
    try:
        if not PLAIN.code.exists():
            raise RunError(f"there is no {PLAIN.code}: apt install ovmf")
        (options.work / "logs").mkdir(parents=True, exist_ok=True)
        with qemu.locked(options.work / "lock", 5):
            good = run(options, Workshop(options, "lane-0"))
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    log_line("all is well" if good else "not all is well")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
