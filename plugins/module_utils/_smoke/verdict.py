# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a kernel, by what came over the serial line of its smoke test."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import answers
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import console as serial_line
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.console import Console, Outcome
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.steps import TAINTED, Step
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    compare,
    kernel_log,
    log_rules,
    log_verdict,
    report,
)

# As the role verify judges a host whose log is known.
SEVERITIES = (log_rules.FATAL, log_rules.ERROR)
# What of the line stands in for a message where there is none.
_LAST_LINES = 2
# Why a module may refuse to be loaded: the machine does not have its device.
_HARMLESS = ("(ENODEV)",)


class Test(NamedTuple):
    """A boot, and what it was to do."""

    steps: Sequence[Step]
    boot: qemu.Boot
    manifest: Mapping[str, Any]
    #: Complaints that the user allows, as `pattern` and `reason`.
    allowed: Sequence[Mapping[str, Any]] = ()
    #: The limit of the boot.
    seconds: float = 0.0


def problems(test: Test) -> list[str]:
    """One sentence for each thing that is wrong, the most important one first."""
    console = serial_line.parse(test.boot.serial)
    complaints = _complaints(test, console)
    found = []
    if not console.done:
        found.append(_stopped(test, console, complaints))
    if console.dropped:
        found.append(
            f"the kernel prints more than the serial line can take: {console.dropped} messages are "
            "lost, and with them what they report"
        )
    found += _step_problems(test, console)
    found += [
        _complaint(one, test, console)
        # The first one is in the sentence on how the kernel stopped.
        for one in (complaints if console.done else complaints[1:])
    ]
    return found


# --- the kernel's log ---------------------------------------------------------------------------


def _complaints(test: Test, console: Console) -> list[dict[str, Any]]:
    """Those that fail the test, the most severe one first."""
    tainted = 0
    for number, step in enumerate(test.steps):
        if step.key == TAINTED and number in console.outcomes:
            tainted = compare.number(console.outcomes[number].text)
    log = kernel_log.Log(console.records, complete=True)
    settings = log_verdict.Settings(SEVERITIES, SEVERITIES, test.allowed)
    judged = log_verdict.judged(kernel_log.answer(log, tainted), {}, settings)
    return [one for one in judged if one["fails"]]


def _first_line(complaint: Mapping[str, Any]) -> str:
    return str(complaint["lines"][0] if complaint["lines"] else complaint["name"])


def _complaint(one: Mapping[str, Any], test: Test, console: Console) -> str:
    line = _first_line(one)
    index = next(
        (at for at, record in enumerate(console.records) if record.text.startswith(line)), 0
    )
    step = _step(console.step_at(index), test)
    return f"the kernel reports{f' while {step.action}' if step else ''}: {line}"


def _step(number: int | None, test: Test) -> Step | None:
    known = number is not None and number < len(test.steps)
    return test.steps[number or 0] if known else None


# --- how it ended -------------------------------------------------------------------------------


def _stopped(test: Test, console: Console, complaints: Sequence[Mapping[str, Any]]) -> str:
    """Of a test that did not come to its end: at which step, and what the kernel says of it."""
    begun = max(console.outcomes, default=None)
    step = _step(begun, test)
    if begun is None:
        where = "the kernel does not reach its first program"
    elif step and not console.outcomes[begun].how:
        where = f"the kernel stops while {step.action}"
    else:
        where = "the kernel stops between two steps of the test"
    if complaints:
        return f"{where}: {_first_line(complaints[0])}"
    last = qemu.last_lines(test.boot.serial, _LAST_LINES).replace("\n", " / ")
    said = f"the last that it printed: {last}" if last else "it printed nothing"
    if test.boot.flooded:
        return f"{where}, and was ended as it prints without an end; {said}"
    if test.boot.exited is None:
        return f"{where} within {test.seconds:.0f} seconds; {said}"
    qemu_said = f"; QEMU: {output_summary('', test.boot.stderr)}" if test.boot.stderr else ""
    return f"{where}, and the machine ended without a message; {said}{qemu_said}"


# --- the steps ----------------------------------------------------------------------------------


def _step_problems(test: Test, console: Console) -> Iterator[str]:
    good: dict[str, Outcome] = {}
    for number, step in enumerate(test.steps):
        outcome = console.outcomes.get(number)
        if step.needs and step.needs not in good:
            continue
        if outcome is None or not outcome.whole:
            # Of a kernel that stops, that is said above.
            if console.done:
                yield f"{step.action}: the serial line does not say what came of it"
            continue
        problem = _step_problem(step, outcome)
        if problem and step.required:
            yield f"{step.action} {problem}"
        elif not problem:
            good[step.key] = outcome
    rows = [*answers.checks(good, test.manifest), *_boot_message(test, console)]
    yield from report.failures([row._asdict() for row in rows])


def _boot_message(test: Test, console: Console) -> Iterator[compare.Check]:
    message = str(test.manifest.get("banner", ""))
    if console.outcomes and message.strip("\n"):
        lines = [record.text.encode() for record in console.records if record.kernel]
        yield compare.compare_message(message, [("the serial line", lines)])


def _step_problem(step: Step, outcome: Outcome) -> str:
    if outcome.how == serial_line.LATE:
        return "does not end within its time"
    if outcome.how == serial_line.SIGNAL:
        meaning = signal.strsignal(outcome.number) or "unknown"
        return f"ends the process (signal {outcome.number}, {meaning})"
    why = _failure(step.words[0], outcome)
    return f"fails: {why}" if why else ""


def _failure(kind: str, outcome: Outcome) -> str:
    """Of a step that ended by itself."""
    if kind == "load" and outcome.text.endswith(_HARMLESS):
        return ""
    if outcome.number:
        return plain_text.few(outcome.output, separator=" / ") or f"status {outcome.number}"
    if kind == "call":
        return answers.call_problem(outcome)
    if kind == "run" and not answers.is_json(outcome):
        return "it prints no figures"
    return "it is empty" if kind == "show" and not outcome.text else ""
