# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the table: a fault, what becomes of the host, and the deployment after it."""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults.cases import CASES
from ansible_collections.oslab.kernel.tests.system.faults.control import Run
from ansible_collections.oslab.kernel.tests.system.faults.harness import PLAYBOOK_SECONDS, code
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty, LostError
from ansible_collections.oslab.kernel.tests.system.faults.report import Outcome, said
from ansible_collections.oslab.kernel.tests.system.faults.stage import Stage
from ansible_collections.oslab.kernel.tests.system.faults.states import (
    ALONE_SECONDS,
    HERE_SECONDS,
    States,
)
from ansible_collections.oslab.kernel.tests.system.faults.table import (
    ARMED,
    HERE,
    NEW,
    OLD,
    STOCK,
    Fault,
)

NO_ROLLBACK_TIMER = ("systemd.mask=oslab-trial.timer",)


def results(options: argparse.Namespace) -> str:
    """Where they are kept, and where they stand in the document."""
    if options.here:
        return "here"
    if options.host:
        return f"host-{options.host}"
    return "alone" if options.alone else "fast" if options.fast else "deployed"


class Rows(States):
    """Who lets one fault happen at a time."""

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

    def run_case(self, fault: Fault, host: Faulty, outcome: Outcome) -> None:
        """What is asked of another playbook."""
        stage = Stage(self, fault.name, host)
        outcome.problems = CASES[fault.case](stage)
        outcome.message = stage.message
        outcome.cause = stage.cause
        host.wait(self.options.wait)

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

    # --- the fault --------------------------------------------------------------------------------

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

    def heal(self, fault: Fault, host: Faulty) -> None:
        """Take the fault away."""
        self.repository.restore()
        if fault.heal:
            host.shell(fault.heal, variables=self.names())
        host.shell("systemctl daemon-reload")

    # --- its end ----------------------------------------------------------------------------------

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

    def at_rest(self, seen: dict[str, Any]) -> bool:
        """Whether no trial boot goes on, and nothing is written about one any more."""
        return not seen["trial"] or (seen["confirmed"] and not seen["finishing"])

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
        if not self.options.alone:
            if fault.message and not re.search(fault.message, outcome.message):
                outcome.problems.append(f"the report does not say /{fault.message}/")
            outcome.problems += fault.wrong_cause(outcome.cause)
            # Its files are elsewhere on each machine.
            message = outcome.message.replace(str(self.work), "WORK")
            outcome.cause = outcome.cause or said(message, fault.message)

    def judge_here(self, seen: dict[str, Any], outcome: Outcome) -> None:
        """The login tells it as it is."""
        wanted = "was verified and confirmed" if outcome.runs == NEW else "was not confirmed"
        if wanted not in seen["status"]:
            outcome.problems.append(f"the login shows {seen['status'].strip()!r}")
        if outcome.runs == NEW:
            outcome.problems += self.finished(seen)[0]

    # --- what is kept -----------------------------------------------------------------------------

    def keep(self, outcome: Outcome) -> None:
        """As far as it is known: who is interrupted loses no row."""
        if self.options.no_rollback_timer:
            return
        outcome.save(self.work / results(self.options))

    def keep_serial(self, fault: Fault, host: Faulty) -> None:
        path = self.work / "logs" / f"{fault.name}.{results(self.options)}.serial.log"
        path.write_text(host.serial())
