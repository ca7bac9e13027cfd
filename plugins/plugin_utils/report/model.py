# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run as plain data: this is report.json. docs/reference/report.md describes it.

Times are seconds since 1970 (UTC) by the clock of the control node; durations are seconds; sizes
are bytes. Texts are safe to print.
"""

from __future__ import annotations

from typing import Optional, TypedDict, Union

#: Of docs/reference/report.schema.json. It grows when a program that reads the report would break.
SCHEMA = 1

#: What a check expects and what it read; everything else than these is a text.
Value = Union[str, int, float, bool, None]


class Check(TypedDict):
    """One comparison. `result` is one of RESULTS."""

    name: str
    result: str
    expected: Value
    read: Value
    tolerance: str
    detail: str


class Stage(TypedDict):
    """A part of the downtime."""

    name: str
    words: str
    seconds: float


class Boot(TypedDict):
    """The reboot of this run into the kernel; without one, `rebooted` is false."""

    rebooted: bool
    #: The boot loader's name, or kexec; empty if that is not known.
    method: str
    downtime: Optional[float]
    stages: list[Stage]
    #: When the reboot began, the host answered again, and the kernel was confirmed.
    started: Optional[int]
    answered: Optional[int]
    confirmed: Optional[int]


class Complaint(TypedDict):
    """Of the kernel's log."""

    kind: str
    severity: str
    state: str
    count: int
    fails: bool
    reason: str
    lines: list[str]


class Log(TypedDict):
    """`verdict` is one of VERDICTS."""

    verdict: str
    baseline: str
    complaints: list[Complaint]


class Change(TypedDict):
    """What the trial boot changed on the host."""

    what: str
    before: str
    now: str
    state: str
    fails: bool
    reason: str


class Health(TypedDict):
    """`verdict` is one of VERDICTS."""

    verdict: str
    baseline: str
    changes: list[Change]


class Size(TypedDict):
    """Bytes of a kernel on the host; None for what is not there."""

    release: str
    image: Optional[int]
    initrd: Optional[int]
    modules: Optional[int]


class Counter(TypedDict):
    """A value of a syscall, before and after the workload of the verification."""

    #: memory (KiB), io or calls.
    group: str
    name: str
    before: int
    after: Optional[int]


class Host(TypedDict):
    """One host. `outcome` is one of those of outcome.py; `passed` is None for no verdict."""

    name: str
    outcome: str
    passed: Optional[bool]
    cause: str
    remedy: str
    release: str
    build_id: str
    #: The builder whose kernel it takes, and what that has published; empty if that is not known.
    kernel_from: str
    expected_release: str
    expected_build_id: str
    boot: Boot
    checks: list[Check]
    log: Log
    health: Health
    #: The custom kernel, and the distribution's that it is compared with.
    sizes: list[Size]
    counters: list[Counter]


class Wave(TypedDict):
    """Hosts that were worked on at the same time."""

    number: int
    hosts: list[str]
    #: When its first reboot began, and its last kernel was confirmed.
    started: Optional[int]
    ended: Optional[int]


class Gate(TypedDict):
    """What a wave has waited for."""

    #: Number of the wave.
    wave: int
    name: str
    #: soak, window, approval, command or http.
    kind: str
    passed: bool
    #: Seconds that it was waited for.
    waited: int
    #: Its last answer, in words.
    answer: str


class Fact(TypedDict):
    """Of the build's manifest."""

    name: str
    value: str


class Kernel(TypedDict):
    """What one builder has published."""

    kernel_from: str
    #: Number of hosts of the report that take it.
    hosts: int
    build: list[Fact]


class Report(TypedDict):
    """The whole."""

    schema: int
    #: deploy, verify or rollback.
    run: str
    written: int
    versions: str
    #: Number of hosts of each outcome that occurs.
    outcomes: dict[str, int]
    #: That which most hosts take.
    build: list[Fact]
    kernels: list[Kernel]
    waves: list[Wave]
    gates: list[Gate]
    hosts: list[Host]


OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
#: Of a check.
RESULTS = (OK, FAILED, UNKNOWN)
NOT_JUDGED = "not judged"
#: Of the kernel's log and of the health.
VERDICTS = (*RESULTS, NOT_JUDGED)
