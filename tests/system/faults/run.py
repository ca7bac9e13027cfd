#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do to a host whatever may happen to it while it gets a new kernel, and see that it is not lost.

    run.py [--fast] [--again] [--once] [--alone | --here | --host HOST] [NAME]...

A machine in QEMU, made of the lab's image, boots through its own GRUB and is deployed to by
playbooks/deploy.yml from what the lab's builder has published (make quickstart, or --published).
For each fault of table.py a fresh one: the fault is injected, the playbook runs, and the host has
to come back by itself with the kernel that the table names, with ssh, and a default that boots.
Then the fault is taken away and the playbook runs once more: the new kernel has to run, confirmed,
and dpkg has nothing left to do. With --chain, faults that leave a host as it was follow each other
on one, and there is one such run in the end; with --fast or --once, none. With --alone, the
controller is dead before the trial starts, and the host has to come back all the same. With --here,
the host has deployed to itself: it verifies and confirms the kernel, or comes back, by itself. With
--host, it has other disks, other firmware, or is hardened; the kernel has to have what that needs
(make test-hosts)."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults import on_host
from ansible_collections.oslab.kernel.tests.system.faults.cases import CASES, Listing
from ansible_collections.oslab.kernel.tests.system.faults.control import Controller, Repository, Run
from ansible_collections.oslab.kernel.tests.system.faults.hosts import host as hosts
from ansible_collections.oslab.kernel.tests.system.faults.hosts.host import HOSTS
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty, LostError
from ansible_collections.oslab.kernel.tests.system.faults.modules import (
    ModulesError,
    compile_modules,
)
from ansible_collections.oslab.kernel.tests.system.faults.report import (
    Outcome,
    earlier,
    load,
    markdown,
    plain,
    said,
    together,
    with_table,
)
from ansible_collections.oslab.kernel.tests.system.faults.table import (
    ARMED,
    DEPLOYED,
    HERE,
    INSTALLED,
    NEW,
    OLD,
    ON_DKMS,
    ON_HOST,
    ON_OTHERS,
    ROWS,
    STOCK,
    Fault,
    Moment,
    chains,
    chosen,
)

DIRECTORY = Path(__file__).resolve().parent
ROOT = DIRECTORY.parents[2]

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
# As inventories/lab and molecule/default have it.
REPOSITORIES = Path("/var/lib/oslab-kernel/lab")
PLAYBOOK_SECONDS = 2400
NO_ROLLBACK_TIMER = ("systemd.mask=oslab-trial.timer",)
# Of the rollback timer, where nobody would confirm a trial boot anyway.
ALONE_SECONDS = 100
# Where the host verifies by itself, on two emulated CPUs.
HERE_SECONDS = 1200
# Headers are thousands of files, which an emulated machine unpacks for minutes.
LEAST = """{{ ['linux-image-' ~ install_release, 'linux-modules-oslab-' ~ install_release,
               'oslab-kernel-tools'] }}"""


# Who is interrupted takes these along: one a lane.
MACHINES: dict[Path, Faulty] = {}


class Harness:
    """A machine, a repository and a controller: one fault at a time."""

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

    # --- states -----------------------------------------------------------------------------------

    def state(self, name: str) -> Path:
        return self.work / name

    @property
    def pinned(self) -> bool:
        """Whether GRUB cannot write its environment block on the host."""
        return bool(self.options.host) and HOSTS[self.options.host].pinned

    def machine(self, state: Path) -> Faulty:
        efi = self.options.host and HOSTS[self.options.host].efi
        kind = hosts.EfiHost if efi else Faulty
        machine = kind(self.lane / "machine", state, self.accel)
        MACHINES[self.lane] = machine
        return machine

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
        host = self.machine(self.state("disks") if self.options.host else self.image)
        with contextlib.closing(host):
            host.wake()
            for name, path in more.items():
                host.put(path, f"/root/{name}")
            host.shell("mkdir /root/keep; sync")
            if not self.options.fast:
                self.state(STOCK).mkdir(parents=True, exist_ok=True)
                self.stock_listing.write_text(json.dumps(host.listing()))
            host.save(self.state(STOCK))

    def make_installed(self) -> None:
        """The same with our packages, before its reboot."""
        log_line("installing the packages on it")
        host = self.machine(self.state(STOCK))
        with contextlib.closing(host):
            host.wake()
            run = self.deploy(host, {"trial_reboot": False}, "installed.log")
            if run.wait(PLAYBOOK_SECONDS) != 0:
                raise RunError(f"the packages could not be installed: {run.text()[-3000:]}")
            # As it was before the trial was chosen.
            if not self.pinned:
                host.shell("grub-editenv /boot/grub/grubenv unset next_entry; sync")
            host.save(self.state(INSTALLED))

    def make_armed(self) -> None:
        """All is done by the playbook but the reboot, for which it is killed."""
        log_line("preparing a trial")
        host = self.machine(self.state(INSTALLED))
        with contextlib.closing(host):
            host.wake()
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
        host = self.machine(self.state(INSTALLED))
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
        with contextlib.closing(host):
            host.wake()
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
        host = self.machine(self.state(INSTALLED))
        with contextlib.closing(host):
            host.wake()
            run = self.deploy(host, {}, "deployed.log")
            if run.wait(PLAYBOOK_SECONDS) != 0:
                raise RunError(f"the new kernel was not confirmed: {run.text()[-3000:]}")
            host.save(self.state(DEPLOYED))

    @property
    def stock_listing(self) -> Path:
        return self.state(STOCK) / "listing.json"

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

    def kexec(self) -> Path:
        """Debian's kexec and the libraries that it needs; empty where it cannot be fetched."""
        place = self.work / "kexec"
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

    # --- one fault --------------------------------------------------------------------------------

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

    def run_case(self, fault: Fault, host: Faulty, outcome: Outcome) -> None:
        """What is asked of another playbook."""
        stage = Stage(self, fault.name, host)
        outcome.problems = CASES[fault.case](stage)
        outcome.message = stage.message
        outcome.cause = stage.cause
        host.wait(self.options.wait)

    def arguments(self, more: tuple[str, ...]) -> list[str]:
        import yaml

        defaults = yaml.safe_load((ROOT / "roles/trial/defaults/main.yml").read_text())
        return [*defaults["trial_arguments"], *more]

    def spoilt(self, fault: Fault) -> tuple[str, ...]:
        """Further arguments of the kernel in the trial boot."""
        return (*fault.arguments, *(NO_ROLLBACK_TIMER if self.options.no_rollback_timer else ()))

    def tamper(self, kind: str) -> None:
        if kind in ("package", "half"):
            path = self.repository.package("image")
            if kind == "half":
                path.with_name(path.name + ".half").touch()
                return
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        if kind == "index":
            path = self.repository.public / "dists/stable/InRelease"
            text = path.read_text()
            found = re.search(r"^ ([0-9a-f]{64}) ", text, re.MULTILINE)
            if found is None:
                raise RunError(f"{path} names no sums")
            path.write_text(text.replace(found[1], found[1][::-1]))

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

    def first(self, fault: Fault, host: Faulty, outcome: Outcome) -> None:
        """The deployment that goes wrong."""
        variables = {
            "trial_timeout": fault.timeout,
            "trial_arguments": self.arguments(self.spoilt(fault)),
            **fault.variables,
        }
        run = self.deploy(host, variables, f"{fault.name}.1.log")
        others: list[Run] = []
        try:
            if fault.moment is not None:
                if not self.reached(fault.moment, host, run):
                    raise RunError(f"the moment did not come: {run.text()[-1500:]}")
                if fault.action == "cut":
                    host.cut()
                    host.power_on()
                elif fault.action == "kill":
                    run.kill()
                else:
                    others.append(self.deploy(host, variables, f"{fault.name}.second.log"))
            status = run.wait(PLAYBOOK_SECONDS)
            for other in others:
                other.wait(PLAYBOOK_SECONDS)
        finally:
            for one in (run, *others):
                one.kill()
        outcome.message = " ".join(filter(None, (one.failure() for one in (run, *others))))
        outcome.cause = next(filter(None, (one.cause() for one in (run, *others))), "")
        outcome.status = status
        self.await_end(fault, host)

    def unattended(self, fault: Fault, host: Faulty) -> None:
        """The trial, which nobody confirms whatever it is like."""
        more = " ".join(self.spoilt(fault))
        seconds = ALONE_SECONDS
        if self.options.here and fault.timeout > ALONE_SECONDS:
            seconds = HERE_SECONDS
        timer = "/etc/systemd/system/oslab-trial.timer"
        host.shell(
            f"sed -i '/vmlinuz/ s#; then# {more}; then#' /boot/grub/custom.cfg\n"
            f"sed -i 's/^OnBootSec=.*/OnBootSec={seconds}s/' {timer}\n"
            "sync"
        )
        before = host.look()["boot_id"]
        with contextlib.suppress(subprocess.SubprocessError):
            host.shell("systemctl reboot --no-block")
        deadline = time.monotonic() + seconds + self.options.wait
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.SubprocessError):
                seen = host.look() if host.answers() else {}
                if seen and seen["boot_id"] != before and self.at_rest(seen):
                    return
            time.sleep(2)
        raise LostError("no answer, or for ever in a trial")

    def await_boot(self, host: Faulty, before: str) -> None:
        """Wait until it runs in another boot than this one."""
        deadline = time.monotonic() + self.options.wait
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.SubprocessError):
                if host.answers() and host.look()["boot_id"] != before:
                    return
            time.sleep(2)
        raise LostError("no answer after a reboot")

    def at_rest(self, seen: dict[str, Any]) -> bool:
        """Whether no trial boot goes on, and nothing is written about one any more."""
        return not seen["trial"] or (seen["confirmed"] and not seen["finishing"])

    def await_end(self, fault: Fault, host: Faulty) -> None:
        """Let it come to rest: a trial that nobody will confirm is going to end."""
        host.wait(self.options.wait)
        if fault.action not in ("cut", "kill"):
            return
        deadline = time.monotonic() + fault.timeout + self.options.wait
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.SubprocessError):
                seen = host.look()
                if not seen["trial"] or seen["confirmed"]:
                    return
            time.sleep(5)
        raise LostError("it stays in a trial that nobody confirms")

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

    def heal(self, fault: Fault, host: Faulty) -> None:
        """Take the fault away."""
        self.repository.restore()
        if fault.heal:
            host.shell(fault.heal, variables=self.names())
        host.shell("systemctl daemon-reload")

    def second(self, host: Faulty, outcomes: list[Outcome]) -> None:
        """The deployment without a fault, after these."""
        started = time.monotonic()
        run = self.deploy(host, {}, f"{outcomes[-1].name}.2.log")
        status = run.wait(PLAYBOOK_SECONDS)
        found, runs = [f"the second deployment failed: {run.failure()}"], ""
        if status == 0:
            found, runs = self.finished(host.look())
        for outcome in outcomes:
            outcome.finished_in = time.monotonic() - started
            outcome.finally_runs = runs
            outcome.together = len(outcomes)
            outcome.problems += found

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

    def names(self) -> dict[str, str]:
        return {
            "RELEASE": self.repository.release,
            "KEEP": "/root/keep",
            "NOW": str(int(time.time())),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }

    def judge(self, fault: Fault, host: Faulty, outcome: Outcome) -> None:
        """How the host is after that."""
        seen = host.look()
        outcome.runs = self.kernel(seen["release"])
        outcome.audit = seen["audit"]
        outcome.problems += self.problems(seen)
        if seen["report"]:
            outcome.message += f" Rollback timer: {' '.join(seen['report'].split())[:300]}"
        # Whatever brought it back, the fault itself has to have happened.
        if fault.observed and not re.search(fault.observed, host.serial()):
            outcome.problems.append(f"the serial line does not say /{fault.observed}/")
        if outcome.runs not in fault.expected:
            outcome.problems.append(f"the {outcome.runs} kernel runs")
        if seen["status"]:
            outcome.message += f" At the login: {seen['status'].strip()}"
        if self.options.here:
            self.judge_here(seen, outcome)
        playing = not (self.options.alone or fault.case)
        if playing and fault.expected == (OLD,) and outcome.status == 0:
            outcome.problems.append("the playbook calls that a success")
        if (
            fault.message
            and not self.options.alone
            and not re.search(fault.message, outcome.message)
        ):
            outcome.problems.append(f"the report does not say /{fault.message}/")
        if not self.options.alone:
            outcome.problems += fault.wrong_cause(outcome.cause)
            outcome.cause = outcome.cause or said(outcome.message, fault.message)

    def judge_here(self, seen: dict[str, Any], outcome: Outcome) -> None:
        """The login tells it as it is."""
        wanted = "was verified and confirmed" if outcome.runs == NEW else "was not confirmed"
        if wanted not in seen["status"]:
            outcome.problems.append(f"the login shows {seen['status'].strip()!r}")
        if outcome.runs == NEW:
            outcome.problems += self.finished(seen)[0]

    def happen(self, fault: Fault, host: Faulty, outcome: Outcome) -> None:
        """Let the fault happen to a deployment, or to a trial that nobody watches."""
        self.repository.restore()
        host.mark()
        if fault.inject:
            host.shell(fault.inject, variables=self.names())
        self.tamper(fault.tamper)
        started = time.monotonic()
        if self.options.alone:
            self.unattended(fault, host)
        elif fault.case:
            self.run_case(fault, host, outcome)
        else:
            self.first(fault, host, outcome)
        outcome.back_in = time.monotonic() - started
        self.judge(fault, host, outcome)

    def run(self, faults: Sequence[Fault]) -> list[Outcome]:
        """One fault on a host, or these one after the other; then all is to be well."""
        alone, fast = self.options.alone, self.options.fast
        state = (
            HERE if self.options.here else ARMED if alone else STOCK if fast else faults[0].state
        )
        host = self.machine(self.state(state))
        outcomes: list[Outcome] = []
        try:
            for fault in faults:
                if outcomes and self.options.late():
                    break
                log_line(f"{fault.name}: {fault.what}")
                day = time.strftime("%F")
                outcomes.append(Outcome(fault.name, fault.what, fault.expected))
                outcomes[-1].observed_at = f"{day}, {code()}"
                if len(outcomes) == 1:
                    host.wake()
                self.happen(fault, host, outcomes[-1])
                log_line(outcomes[-1].line())
                self.keep_serial(fault, host)
                self.keep(outcomes[-1])
                if not alone:
                    self.heal(fault, host)
            if not (alone or fast or self.options.once):
                self.second(host, outcomes)
        except LostError as lost:
            outcomes[-1].lost = str(lost)
            outcomes[-1].message += f" Serial line: {qemu.last_lines(host.serial(), 12)}"
        except (RunError, subprocess.SubprocessError, qemu.QemuError, OSError) as error:
            outcomes[-1].problems.append(
                f"{type(error).__name__}: {' '.join(str(error).split())[:600]}"
            )
        finally:
            self.keep_serial(fault, host)
            host.close()
        for outcome in outcomes:
            if not (alone or fast or self.options.once or outcome.finished_in or outcome.lost):
                outcome.problems.append("there was no second deployment")
            log_line(outcome.line())
            self.keep(outcome)
        return outcomes

    def keep(self, outcome: Outcome) -> None:
        """As far as it is known: who is interrupted loses no row."""
        if self.options.no_rollback_timer:
            return
        place = self.work / results(self.options)
        outcome.save(place)

    def keep_serial(self, fault: Fault, host: Faulty) -> None:
        path = self.work / "logs" / f"{fault.name}.{results(self.options)}.serial.log"
        path.write_text(host.serial())


def end(signum: int, _frame: object) -> None:
    """Without waiting for the threads, of which each waits for its machine."""
    for machine in MACHINES.values():
        machine.close()
    os._exit(128 + signum)


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


#: How a run on machines may end, said to the user as it is.
FAILURES = (RunError, LostError, ModulesError, qemu.QemuError, subprocess.SubprocessError)


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
    parser.set_defaults(fast=fast, host="", once=False)


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
        self._host.put(self._harness.kexec(), "/root/kexec.tar")

    def reboot(self) -> None:
        """In good order, through the boot loader."""
        before = self._host.look()["boot_id"]
        with contextlib.suppress(subprocess.SubprocessError):
            self._host.shell("systemctl reboot --no-block")
        self._harness.await_boot(self._host, before)

    def play(self, playbook: str, **variables: Any) -> Run:
        self._plays += 1
        log = f"{self._name}.play-{self._plays}.log"
        run = self._harness.deploy(self._host, variables, log, playbook=playbook)
        run.status = run.wait(PLAYBOOK_SECONDS)
        self.message = self.message or run.failure()
        self.cause = self.cause or run.cause()
        return run


def results(options: argparse.Namespace) -> str:
    """Where they are kept, and where they stand in the document."""
    if options.here:
        return "here"
    if options.host:
        return f"host-{options.host}"
    return "alone" if options.alone else "fast" if options.fast else "deployed"


def run_all(options: argparse.Namespace, faults: list[Fault]) -> list[Outcome]:
    """Each by whoever is free; much of a fault's time is waiting."""
    free: queue.Queue[Harness] = queue.Queue()
    for number in range(options.jobs):
        free.put(Harness(options, f"lane-{number}"))

    def some(chain: list[Fault]) -> list[Outcome]:
        harness = free.get()
        try:
            return [] if options.late() else harness.run(chain)
        finally:
            free.put(harness)

    groups = [[fault] for fault in faults]
    if options.fast:
        # On the only host, what a deployment does not get through comes before the one that does.
        groups = [sorted(faults, key=lambda fault: fault.state != STOCK)]
    elif options.chain and not options.alone:
        groups = chains(faults)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return [outcome for outcomes in pool.map(some, groups) for outcome in outcomes]


def parsed() -> argparse.Namespace:
    """The options; some defaults depend on others."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a fault; all if there is none")
    parser.add_argument(
        "--fast",
        action="store_true",
        help="three that need no more than a stock host, without the second deployment",
    )
    parser.add_argument("--again", action="store_true", help="on the states of the last run")
    parser.add_argument(
        "--once",
        action="store_true",
        help="without the second deployment: in --table, a row keeps that of an earlier run",
    )
    parser.add_argument(
        "--alone", action="store_true", help="no control node during the trial boot"
    )
    parser.add_argument(
        "--here", action="store_true", help="the host is its own control node; implies --alone"
    )
    parser.add_argument(
        "--host", choices=list(HOSTS), default="", help="another one than the lab's"
    )
    add_suite(parser)
    parser.add_argument("--list", action="store_true", help="name the faults, and end")
    parser.add_argument(
        "--show", action="store_true", help="print the results of earlier runs and end"
    )
    parser.add_argument(
        "--no-rollback-timer", action="store_true", help="with the rollback timer masked"
    )
    parser.add_argument("--jobs", type=int, default=1, help="machines at a time (%(default)s)")
    parser.add_argument(
        "--chain",
        action="store_true",
        help="those after which a host is as before on one machine, one after the other, "
        "and one second deployment for all of these",
    )
    parser.add_argument(
        "--budget",
        type=int,
        metavar="SECONDS",
        help="begin no further fault after that",
    )
    parser.add_argument(
        "--wait",
        type=int,
        default=900,
        help="seconds until a host counts as lost (%(default)s)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        help=f"states, logs and results ({CACHE}/faults; with --fast, faults-fast)",
    )
    parser.add_argument(
        "--published",
        type=Path,
        help="what is deployed (the lab's repository or Molecule's, whichever is newer)",
    )
    parser.add_argument(
        "--store", type=Path, default=CACHE / "work/store", help="of its builds (%(default)s)"
    )
    parser.add_argument("--table", type=Path, help="put results here; other rows stay")
    options = parser.parse_args()
    # States lie over each other; the fast ones are never those that another run is at.
    options.alone = options.alone or options.here
    if options.host and (options.alone or options.fast):
        parser.error("--host goes without --alone, --here and --fast")
    options.published = options.published or (
        REPOSITORIES / "repository-hosts" if options.host else published()
    )
    place = "faults-fast" if options.fast else "faults"
    if options.host:
        place = f"faults-{options.host}-{options.suite}"
    options.work = options.work or CACHE / place
    return options


def main() -> int:
    options = parsed()
    started = time.monotonic()
    options.late = lambda: bool(options.budget and time.monotonic() - started > options.budget)
    faults = chosen(options.names, options.fast, options.alone, options.here, options.host)
    if options.list:
        for fault in faults:
            print(f"{fault.name:24}{fault.what}")
        return 0
    try:
        if options.show:
            outcomes = load(options.work / results(options), [fault.name for fault in faults])
        else:
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, end)
            (options.work / "logs").mkdir(parents=True, exist_ok=True)
            with qemu.locked(options.work / "lock", 5):
                Harness(options, "lane-0").have_states({fault.state for fault in faults})
                outcomes = run_all(options, faults)
    except (RunError, ModulesError, qemu.QemuError) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(plain(outcomes))
    if options.table:
        names = [fault.name for fault in (*ON_HOST, *ON_OTHERS, *ON_DKMS, *ROWS)]
        text = options.table.read_text()
        place = results(options)
        known = together(names, load(options.work / place, names), earlier(text, place))
        options.table.write_text(with_table(text, place, markdown(known)))
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
