# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host and who plays on it, as the cases of other playbooks want them (cases.py)."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.tests.system.faults.cases import Listing
from ansible_collections.oslab.kernel.tests.system.faults.control import Run
from ansible_collections.oslab.kernel.tests.system.faults.harness import PLAYBOOK_SECONDS, Harness
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty, LostError


class Stage:
    """A host and who plays on it, as cases.py wants them."""

    def __init__(self, harness: Harness, name: str, host: Faulty) -> None:
        self.message = self.cause = ""
        self.stock: Listing = json.loads(harness.stock_listing.read_text())
        self._harness = harness
        self._name = name
        self._host = host
        self._plays = 0

    def shell(self, script: str) -> str:
        return self._host.shell(script, variables=self._harness.names())

    def listing(self, *kinds: str) -> Listing:
        return self._host.listing(*kinds)

    def serial(self) -> str:
        return self._host.serial()

    def put_kexec(self) -> None:
        self._host.put(self._kexec(), "/root/kexec.tar")

    def reboot(self) -> None:
        """In good order, through the boot loader."""
        before = self._host.look()["boot_id"]
        with contextlib.suppress(subprocess.SubprocessError):
            self._host.shell("systemctl reboot --no-block")
        self._await_boot(before)

    def play(self, playbook: str, **variables: Any) -> Run:
        self._plays += 1
        log = f"{self._name}.play-{self._plays}.log"
        run = self._harness.deploy(self._host, variables, log, playbook=playbook)
        run.status = run.wait(PLAYBOOK_SECONDS)
        self.message = self.message or run.failure()
        self.cause = self.cause or run.cause()
        return run

    def _await_boot(self, before: str) -> None:
        """Wait until it runs in another boot than this one."""
        deadline = time.monotonic() + self._harness.options.wait
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.SubprocessError):
                if self._host.answers() and self._host.look()["boot_id"] != before:
                    return
            time.sleep(2)
        raise LostError("no answer after a reboot")

    def _kexec(self) -> Path:
        """Debian's kexec and the libraries that it needs; empty where it cannot be fetched."""
        place = self._harness.work / "kexec"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        script = """
        needed=$(apt-cache depends --recurse --no-recommends --no-suggests kexec-tools |
            sed -n 's/^  Depends: \\(libxen.*\\)/\\1/p' | sort -u)
        apt-get -q download kexec-tools $needed
        for package in *.deb; do dpkg-deb -x "$package" .; done
        rm -rf *.deb etc usr/share
        """
        subprocess.run(["sh", "-c", script], cwd=place, check=False, capture_output=True)
        subprocess.run(["tar", "-cf", f"{place}.tar", "-C", str(place), "."], check=True)
        return place.with_name("kexec.tar")
