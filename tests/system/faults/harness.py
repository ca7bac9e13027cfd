# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine, the repository that it installs from, and who runs playbooks against it.

What the programs of tests/system that deploy to a machine have in common: its first two states, a
deployment, and how a host has to be after one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults.control import Controller, Repository, Run
from ansible_collections.oslab.kernel.tests.system.faults.hosts import host as hosts
from ansible_collections.oslab.kernel.tests.system.faults.hosts.host import HOSTS
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty, LostError
from ansible_collections.oslab.kernel.tests.system.faults.modules import (
    ModulesError,
    compile_modules,
)
from ansible_collections.oslab.kernel.tests.system.faults.table import (
    INSTALLED,
    NEW,
    OLD,
    STOCK,
    Moment,
)

DIRECTORY = Path(__file__).resolve().parent
ROOT = DIRECTORY.parents[2]

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
# As inventories/lab and molecule/default have it.
REPOSITORIES = Path("/var/lib/oslab-kernel/lab")
PLAYBOOK_SECONDS = 2400
# Headers are thousands of files, which an emulated machine unpacks for minutes.
LEAST = """{{ ['linux-image-' ~ install_release, 'linux-modules-oslab-' ~ install_release,
               'oslab-kernel-tools'] }}"""

#: How a run on machines may end, said to the user as it is.
FAILURES = (RunError, LostError, ModulesError, qemu.QemuError, subprocess.SubprocessError)


class Harness:
    """One machine, one repository, one controller."""

    def __init__(self, options: argparse.Namespace, lane: str) -> None:
        self.work: Path = options.work
        self.lane = options.work / lane
        self.lane.mkdir(exist_ok=True)
        self.options = options
        images = sorted(
            (CACHE / "images").glob(f"*-{options.suite}-*/disk.qcow2"),
            key=lambda path: path.stat().st_mtime,
        )
        if not images or not (options.published / "public/oslab-kernel.json").exists():
            raise RunError(
                f"no image of {options.suite} in {CACHE}/images or nothing published in "
                f"{options.published}: run `make quickstart` first"
            )
        self.image = images[-1].parent
        self.accel = qemu.choose_accel(
            "auto", self.image / "vmlinuz", self.image / "initrd.img", CACHE / "accel.json"
        ).name
        self.repository = Repository(options.published, self.lane / "repository")
        self.controller = Controller(
            self.lane, self.repository, self.repository.serve(), options.store
        )

    def state(self, name: str) -> Path:
        return self.work / name

    @property
    def pinned(self) -> bool:
        """Whether GRUB cannot write its environment block on the host."""
        return bool(self.options.host) and HOSTS[self.options.host].pinned

    def machine(self, state: Path) -> Faulty:
        kind, place = HOSTS.get(self.options.host), self.lane / "machine"
        if kind and kind.firmware:
            return hosts.EfiHost(kind, place, state, self.accel)
        return Faulty(place, state, self.accel)

    @contextlib.contextmanager
    def awake(self, state: Path) -> Iterator[Faulty]:
        """A machine that goes on from a state, or has booted; it is gone in the end."""
        host = self.machine(state)
        with contextlib.closing(host):
            host.wake()
            yield host

    # --- its states -------------------------------------------------------------------------------

    def make_disks(self) -> None:
        """Another host of the lab's image."""
        log_line(f"making the host {self.options.host}")
        kind, place = HOSTS[self.options.host], self.work / "made"
        hosts.make(kind, self.image, place, self.state("disks"), self.accel)

    def make_stock(self) -> None:
        """A host that booted the lab's image."""
        more = {} if self.options.fast else {"fault.ko": self.build_module()}
        if not (self.options.fast or self.options.host):
            more["btrfs.gz"] = self.btrfs()
        disks = self.state("disks") / "disk.qcow2"
        if self.options.host and not (self.options.again and disks.exists()):
            self.make_disks()
        log_line("booting the lab's image")
        with self.awake(self.state("disks") if self.options.host else self.image) as host:
            for name, path in more.items():
                host.put(path, f"/root/{name}")
            # Only where the firmware is has the menu the firmware's own entry.
            host.shell("mkdir /root/keep; update-grub 2>/dev/null; sync")
            if not self.options.fast:
                self.state(STOCK).mkdir(parents=True, exist_ok=True)
                self.stock_listing.write_text(json.dumps(host.listing()))
            host.save(self.state(STOCK))

    def make_installed(self) -> None:
        """The same with our packages, before its reboot."""
        log_line("installing the packages on it")
        with self.awake(self.state(STOCK)) as host:
            run = self.deploy(host, {"trial_reboot": False}, "installed.log")
            if run.wait(PLAYBOOK_SECONDS) != 0:
                raise RunError(f"the packages could not be installed: {run.text()[-3000:]}")
            # As it was before the trial was chosen.
            if not self.pinned:
                host.shell("grub-editenv /boot/grub/grubenv unset next_entry; sync")
            host.save(self.state(INSTALLED))

    @property
    def stock_listing(self) -> Path:
        return self.state(STOCK) / "listing.json"

    def build_module(self) -> Path:
        """fault.ko, against the headers that were published."""
        place = self.work / "module"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(DIRECTORY / "fault.c", place)
        (place / "Makefile").write_text("obj-m := fault.o\n")
        compile_modules(place, self.repository.package("headers"), place)
        return place / "fault.ko"

    def btrfs(self) -> Path:
        path = self.work / "btrfs"
        with path.open("wb") as stream:
            stream.truncate(120 << 20)
        subprocess.run(["mkfs.btrfs", "-q", str(path)], check=True, capture_output=True)
        subprocess.run(["gzip", "-1", "-f", str(path)], check=True)
        return path.with_name("btrfs.gz")

    # --- a deployment -----------------------------------------------------------------------------

    def deploy(
        self,
        host: Faulty,
        variables: dict[str, Any],
        log: str,
        *options: str,
        playbook: str = "deploy.yml",
    ) -> Run:
        headers = self.options.host and HOSTS[self.options.host].headers
        least = self.options.fast or (self.options.host and not headers)
        packages = {"install_packages": LEAST} if least else {}
        settings = {
            "trial_timeout": 600,
            "trial_recover_timeout": 600,
            # The same build is deployed again, after each fault.
            "install_retry_failed": True,
            # The lab has no firmware that keeps what a kernel wrote.
            "trial_serial_log": str(host.directory / "serial.log"),
            **packages,
            **variables,
        }
        return self.controller.start(
            host.directory / "ssh_config",
            settings,
            self.work / "logs" / log,
            *options,
            playbook=playbook,
        )

    def reported(self, host: Faulty, name: str, **variables: Any) -> tuple[int, dict[str, Any]]:
        """Deploy, to the end: its exit status, and what its report says of the host."""
        place = self.work / "logs" / f"{name}-report"
        shutil.rmtree(place, ignore_errors=True)
        run = self.deploy(host, {"report_dir": str(place), **variables}, f"{name}.log")
        status = run.wait(PLAYBOOK_SECONDS)
        if not (place / "report.json").exists():
            raise RunError(f"{name} wrote no report: {run.text()[-3000:]}")
        [about] = json.loads((place / "report.json").read_text())["hosts"]
        return status, about

    def reached(self, moment: Moment, host: Faulty, run: Run) -> bool:
        """Wait for a moment; whether it came."""
        deadline = time.monotonic() + PLAYBOOK_SECONDS
        while time.monotonic() < deadline:
            ended = run.ended
            text = host.serial() if moment.source == "serial" else run.text()
            if re.search(moment.pattern, text):
                time.sleep(moment.delay)
                return True
            if ended:
                return False
            time.sleep(0.1)
        return False

    def arguments(self, more: tuple[str, ...]) -> list[str]:
        import yaml

        defaults = yaml.safe_load((ROOT / "roles/trial/defaults/main.yml").read_text())
        return [*defaults["trial_arguments"], *more]

    def names(self) -> dict[str, str]:
        return {
            "RELEASE": self.repository.release,
            "KEEP": "/root/keep",
            "NOW": str(int(time.time())),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }

    # --- how a host is ----------------------------------------------------------------------------

    def kernel(self, release: str) -> str:
        return NEW if release == self.repository.release else OLD

    def problems(self, seen: dict[str, Any]) -> list[str]:
        """What would keep it from booting again."""
        found = []
        if not seen["default"]:
            found.append("GRUB has no default")
        if seen["lacking"]:
            found.append(f"GRUB's default lacks {', '.join(seen['lacking'])}")
        if seen["default"] != seen["release"]:
            found.append(f"GRUB's default is {seen['default']}, {seen['release']} runs")
        if seen["next"]:
            found.append(f"GRUB has {seen['next']} to boot next")
        return found

    def finished(self, seen: dict[str, Any]) -> tuple[list[str], str]:
        """What is not as it should be in the end, and which kernel runs."""
        found = self.problems(seen)
        if self.kernel(seen["release"]) != NEW:
            found.append(f"{seen['release']} runs in the end")
        if not seen["record"].get("confirmed"):
            found.append("it is not recorded as confirmed")
        if seen["audit"]:
            found.append(f"dpkg --audit: {seen['audit'][:300]}")
        return found, self.kernel(seen["release"])


def code() -> str:
    """The last commit that changed what is tested; with a + if more has changed since."""
    paths = ("playbooks", "roles", "plugins")
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.check_output(
            [*git, "log", "-1", "--format=%h", "--", *paths], text=True
        )
        changed = subprocess.check_output([*git, "status", "--porcelain", "--", *paths], text=True)
    except (subprocess.SubprocessError, OSError):
        return "no commit"
    return commit.strip() + ("+" if changed else "")


def add_harness_options(parser: argparse.ArgumentParser, name: str, *, fast: bool) -> None:
    """What Harness reads of the options of a program that has no table of faults.

    `name`: of its directory in the cache. `fast`: with the packages that a host needs alone.
    """
    parser.add_argument("--again", action="store_true", help="on the machine of the last run")
    parser.add_argument("--work", type=Path, default=CACHE / name, help="(%(default)s)")
    parser.add_argument(
        "--published", type=Path, default=published(), help="what is deployed (%(default)s)"
    )
    parser.add_argument(
        "--store", type=Path, default=CACHE / "work/store", help="of its builds (%(default)s)"
    )
    add_suite(parser)
    parser.set_defaults(fast=fast, host="")


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Of which of the lab's images the machine is made."""
    parser.add_argument(
        "--suite",
        default="bookworm",
        help="Debian suite of the lab's image, lab_image_suite (%(default)s)",
    )


def published() -> Path:
    """The lab's repository or that of Molecule's machine, whichever is newer."""

    def made(root: Path) -> float:
        path = root / "public/oslab-kernel.json"
        return path.stat().st_mtime if path.exists() else 0

    return max((REPOSITORIES / "repository", REPOSITORIES / "repository-molecule"), key=made)
