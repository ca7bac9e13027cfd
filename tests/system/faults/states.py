# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that faults begin in, made once and kept."""

from __future__ import annotations

import shutil

from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults import on_host
from ansible_collections.oslab.kernel.tests.system.faults.harness import (
    DIRECTORY,
    PLAYBOOK_SECONDS,
    Harness,
)
from ansible_collections.oslab.kernel.tests.system.faults.table import (
    ARMED,
    DEPLOYED,
    HERE,
    INSTALLED,
    STOCK,
    Moment,
)

# Of the rollback timer, where nobody would confirm a trial boot anyway.
ALONE_SECONDS = 100
# Where the host verifies by itself, on two emulated CPUs.
HERE_SECONDS = 1200


class States(Harness):
    """Who makes them."""

    def make_armed(self) -> None:
        """All is done by the playbook but the reboot, for which it is killed."""
        log_line("preparing a trial")
        with self.awake(self.state(INSTALLED)) as host:
            variables = {
                "trial_timeout": ALONE_SECONDS,
                "trial_arguments": self.arguments(()),
                "deploy_before": str(DIRECTORY / "wait.yml"),
            }
            run = self.deploy(host, variables, "armed.log")
            armed = self.reached(Moment(r"TASK \[.*Wait for the end"), host, run)
            run.kill()
            if not armed:
                raise RunError(f"no trial was prepared: {run.text()[-3000:]}")
            host.shell("sync")
            host.save(self.state(ARMED))

    def make_here(self) -> None:
        """It has deployed to itself, and its next boot is the trial boot."""
        log_line("letting the host deploy to itself")
        archive = self.lane / "control.tar"
        on_host.write(
            archive,
            self.repository.root,
            {
                "trial_reboot": False,
                "trial_timeout": HERE_SECONDS,
                "trial_arguments": self.arguments(()),
            },
        )
        with self.awake(self.state(INSTALLED)) as host:
            host.put(archive, "/root/control.tar")
            host.shell(
                f"mkdir {on_host.PLACE}; tar -xf /root/control.tar -C {on_host.PLACE}; "
                "rm /root/control.tar"
            )
            output = host.shell(f"{on_host.command()} 2>&1; sync", seconds=PLAYBOOK_SECONDS)
            (self.work / "logs/here.log").write_text(output)
            host.save(self.state(HERE))

    def make_deployed(self) -> None:
        """The new kernel, confirmed."""
        log_line("deploying to it")
        with self.awake(self.state(INSTALLED)) as host:
            run = self.deploy(host, {}, "deployed.log")
            if run.wait(PLAYBOOK_SECONDS) != 0:
                raise RunError(f"the new kernel was not confirmed: {run.text()[-3000:]}")
            host.save(self.state(DEPLOYED))

    def have_states(self, wanted: set[str]) -> None:
        """Make them, or take those that an earlier run has made of the same packages."""
        again = self.options.again
        version = self.repository.description["version"]
        states = [(STOCK, self.make_stock)]
        if not self.options.fast:
            states.append((INSTALLED, self.make_installed))
        if self.options.alone and not self.options.here:
            states.append((ARMED, self.make_armed))
        if self.options.here:
            states.append((HERE, self.make_here))
        if DEPLOYED in wanted:
            states.append((DEPLOYED, self.make_deployed))
        for name, make in states:
            made = self.state(name) / "version"
            again = again and made.exists() and made.read_text() == version
            if not again:
                # Disks lie over each other: with one, those above it are made anew.
                shutil.rmtree(self.state(name), ignore_errors=True)
                make()
                made.write_text(version)
