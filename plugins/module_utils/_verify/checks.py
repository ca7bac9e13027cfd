# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a host, and the entries of /proc that are compared.

A check is one function: it reads the host and returns the rows of the table. `CHECKS` lists them in
the order of the rows. An entry of /proc is one line of `PROC_ENTRIES`, with the function that
compares its figures, if there is one.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare, expected_calls
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    COUNTED,
    THROTTLE,
    TRACK,
    Syscalls,
    UsageEntry,
    errno_name,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.system import System, Uname

# A moving system may spoil one comparison; a wrong kernel spoils every one.
MEMORY_ATTEMPTS = 10
WORKLOAD_ATTEMPTS = 5
# Calls of processes that /proc cannot attribute (they ended meanwhile, or their read failed).
# Shortly after a boot they come in bursts. A kernel that counts a call twice counts more than half
# of the calls too much.
UNSEEN_CALLS, UNSEEN_SHARE = 16, 2
# Before another attempt: a burst may be over then.
PAUSE_NS = 500_000_000


@dataclass(frozen=True)
class Host:
    """The running kernel, the syscalls of it that answer, and what the caller expects of it."""

    system: System
    calls: Syscalls
    #: The process whose I/O is compared.
    pid: int
    uname: Uname
    manifest: Mapping[str, Any]
    expected: Mapping[str, Any]
    #: How many calls to make for the check of the counters; 0 makes none.
    workload: int
    #: By name, what the first call of each syscall gave.
    answers: Mapping[str, Mapping[str, Any]]
    #: By name, whether an entry of /proc is there and its module is loaded.
    entries: Mapping[str, Mapping[str, Any]]

    def has(self, syscall: str) -> bool:
        return syscall in self.calls.numbers

    def text(self, path: str) -> str:
        return self.system.read(path).decode(errors="replace")

    def keyed(self, path: str) -> dict[str, int]:
        return compare.parse_keyed(self.text(path))

    def shown(self, entry: str) -> str:
        """The text of an entry of /proc."""
        return self.system.read(f"/proc/{entry}").decode("utf-8", "backslashreplace")

    def parameter(self, module: str, name: str) -> str:
        return self.text(f"/sys/module/{module}/parameters/{name}").rstrip("\n")

    def usage(self) -> list[UsageEntry]:
        return self.calls.track()[1]

    def refusal(self, syscall: str, expected: str, case: str, *arguments: int) -> Check:
        """The row of a call that must be refused."""
        answer = self.calls.call(syscall, *arguments)
        return compare.compare_answer(f"{syscall} {case}", answer, expected)


# A check: the rows of the table, none if the host has nothing to compare.
Function = Callable[[Host], list[Check]]


def _needs(syscall: str) -> Callable[[Function], Function]:
    """Without this syscall the check has no rows."""

    def decorate(check: Function) -> Function:
        @functools.wraps(check)
        def checked(host: Host) -> list[Check]:
            return check(host) if host.has(syscall) else []

        return checked

    return decorate


# --- release, name, boot message ------------------------------------------------------------------


def identity(host: Host) -> list[Check]:
    """What the caller expects, and where that is empty what the manifest says."""
    checks = []
    for label, key, actual in (
        ("release (uname -r)", "release", host.uname.release),
        ("sysname (uname -s)", "sysname", host.uname.sysname),
        # Only the manifest tells the build id: nothing that it could be held against but a wish.
        ("build id", "build_id", host.manifest.get("build_id")),
    ):
        wanted = host.expected.get(key) or host.manifest.get(key)
        if wanted:
            # The first digits name a build, too.
            shown = actual[: len(wanted)] if key == "build_id" and actual else actual
            checks.append(compare.equal(label, wanted, shown))
    return checks


def boot_message(host: Host) -> list[Check]:
    message = host.expected.get("banner") or host.manifest.get("banner")
    if not message or not message.strip("\n"):
        return []
    logs = []
    for source, read in host.system.kernel_log():
        try:
            lines = read()
        except OSError:
            continue
        logs.append((source, lines))
        if compare.holds_boot(lines):
            break
    return [compare.compare_message(message, logs)]


# --- the syscalls ---------------------------------------------------------------------------------


def first_calls(host: Host) -> list[Check]:
    """One row for each syscall: whether it answers."""
    return [_first_call(name, state) for name, state in host.answers.items()]


def _first_call(name: str, state: Mapping[str, Any]) -> Check:
    if state["supported"] is None:
        return Check(f"{name} answers", None, True, "not called", None, state["detail"])
    return compare.equal(f"{name} answers", True, state["supported"], state["detail"])


@_needs(CAPTURE)
def memory(host: Host) -> list[Check]:
    def once() -> list[Check]:
        before, started = host.keyed("/proc/meminfo"), host.system.monotonic_ns()
        _answer, snapshot = host.calls.capture()
        ended, after = host.system.monotonic_ns(), host.keyed("/proc/meminfo")
        name = f"{CAPTURE} timestamp_ns"
        return [
            *compare.compare_memory(before, snapshot, after),
            compare.compare_timestamp(name, started, snapshot["timestamp_ns"], ended),
        ]

    return _best(MEMORY_ATTEMPTS, once)


@_needs(CAPTURE)
def memory_refusals(host: Host) -> list[Check]:
    return [host.refusal(CAPTURE, "EFAULT", "null", 0)]


@_needs(TRACK)
def usage_entries(host: Host) -> list[Check]:
    return compare.compare_entries(*host.calls.track(len(COUNTED) * 2))


@_needs(TRACK)
def usage_refusals(host: Host) -> list[Check]:
    return [
        host.refusal(TRACK, "EINVAL", "size 3", 0, len(COUNTED) - 1),
        host.refusal(TRACK, "EFAULT", "null", 0, len(COUNTED)),
    ]


@_needs(TRACK)
def workload(host: Host) -> list[Check]:
    if not host.workload:
        return []
    if {entry.name for entry in host.usage()} != set(COUNTED):
        return []  # the check of the names says so already

    def counted() -> list[Check]:
        return compare.compare_workload(_window(host, host.system.workload, threads=False))

    def threads() -> list[Check]:
        return [compare.compare_threads(_window(host, host.system.threads, threads=True))]

    def pause() -> None:
        host.system.pause(PAUSE_NS)

    return [
        *_best(WORKLOAD_ATTEMPTS, counted, pause),
        *_best(WORKLOAD_ATTEMPTS, threads, pause),
    ]


def _window(host: Host, work: Callable[[int], None], threads: bool) -> compare.Window:
    """Run the workload between two looks at the counters, the system's own around them."""
    calls = host.workload
    io_before, tasks_before = host.system.process_io(), _tasks_created(host)
    started = host.system.coarse_ns()
    before = _usage_by_name(host)
    work(calls)
    after = _usage_by_name(host)
    ended = host.system.monotonic_ns()
    io_after, tasks_after = host.system.process_io(), _tasks_created(host)
    # Opens of others are counted nowhere else. Only where there seem to be any: how many there
    # are in a pause as long as the work.
    idle, unseen = 0, max(UNSEEN_CALLS, calls // UNSEEN_SHARE)
    if not threads and after["open"].count - before["open"].count > calls + unseen:
        idle = _idle_opens(host, ended - started)
    others = {
        "open": 2 * idle + unseen,
        "read": _io_rise(io_before, io_after, "syscr") + unseen,
        "write": _io_rise(io_before, io_after, "syscw") + unseen,
        "fork": max(0, tasks_after - tasks_before - calls),
    }
    return compare.Window(calls, before, after, started, ended, others)


def _usage_by_name(host: Host) -> dict[str, UsageEntry]:
    return {entry.name: entry for entry in host.usage()}


def _idle_opens(host: Host, nanoseconds: int) -> int:
    before = _usage_by_name(host)["open"].count
    host.system.pause(nanoseconds)
    return _usage_by_name(host)["open"].count - before


def _tasks_created(host: Host) -> int:
    """Tasks since boot, threads and kernel threads too."""
    for line in bounded_read.lines(host.text("/proc/stat")):
        if line.startswith("processes "):
            return compare.number(line[len("processes ") :])
    return 0


def _io_rise(before: Mapping[int, bytes], after: Mapping[int, bytes], field: str) -> int:
    """How many calls the other processes made by /proc/PID/io, those that are new included."""
    total = 0
    for pid, text in after.items():
        now = compare.parse_keyed(text.decode(errors="replace")).get(field, 0)
        then = 0
        if pid in before:
            then = compare.parse_keyed(before[pid].decode(errors="replace")).get(field, 0)
        total += max(0, now - then)
    return total


@_needs(THROTTLE)
def process_io(host: Host) -> list[Check]:
    label = f"{THROTTLE} pid {host.pid}"
    if host.pid == host.system.pid:
        label = f"{THROTTLE} own"
    path = f"/proc/{host.pid}/io"
    try:
        before = host.keyed(path)
        stats = host.calls.throttle(host.pid)[1]
        after = host.keyed(path)
    except OSError as error:
        # The syscall has to refuse what /proc refuses.
        answer = host.calls.throttle(host.pid)[0]
        refusal = "EPERM" if error.errno == errno.EACCES else "ESRCH"
        return [compare.compare_answer(label, answer, refusal)]
    return compare.compare_io(before, stats, after, label, path)


@_needs(THROTTLE)
def stopped_process_io(host: Host) -> list[Check]:
    with host.system.stopped_child() as pid:
        path = f"/proc/{pid}/io"
        before = host.keyed(path)
        stats = host.calls.throttle(pid)[1]
        label = f"{THROTTLE} stopped child"
        return compare.compare_io(before, stats, host.keyed(path), label, path)


@_needs(THROTTLE)
def process_io_refusals(host: Host) -> list[Check]:
    # pid_max itself is the first number that no process can have.
    free = compare.number(host.text("/proc/sys/kernel/pid_max"))
    checks = [
        host.refusal(THROTTLE, "EINVAL", "pid 0", 0, 0),
        host.refusal(THROTTLE, "EINVAL", "pid -1", -1, 0),
        host.refusal(THROTTLE, "ESRCH", "free pid", free, 0),
        host.refusal(THROTTLE, "EFAULT", "null", host.system.pid, 0),
    ]
    if host.system.is_root():
        name = f"{THROTTLE} of root's process as nobody"
        answer = host.system.as_nobody(lambda: host.calls.throttle(host.system.pid)[0])
        checks.append(compare.compare_answer(name, answer, "EPERM"))
    return checks


# --- the entries of /proc -------------------------------------------------------------------------


@_needs(CAPTURE)
def _capture_mem(host: Host) -> list[Check]:
    def once() -> list[Check]:
        before = host.calls.capture()[1]
        shown = compare.parse_keyed(host.shown("capture_mem"))
        return compare.compare_memory_shown(before, shown, host.calls.capture()[1])

    return _best(MEMORY_ATTEMPTS, once)


@_needs(TRACK)
def _track_syscalls(host: Host) -> list[Check]:
    before = host.usage()
    return compare.compare_usage_shown(before, host.shown("track_syscalls"), host.usage())


@_needs(THROTTLE)
def _io_throttle(host: Host) -> list[Check]:
    # 0 stands for whoever opens the file.
    pid = compare.number(host.parameter("io_throttle_mod", "pid")) or host.system.pid
    try:
        # The parameter may be the id of a thread, and that may have ended.
        pid = compare.parse_keyed(host.shown("io_throttle")).get("pid", pid)
        before = host.calls.throttle(pid)[1]
        shown = host.shown("io_throttle")
    except OSError as error:
        answer = host.calls.throttle(pid)[0]
        return [compare.compare_throttle_refused(answer, error.errno or 0, pid)]
    return compare.compare_throttle_shown(before, shown, host.calls.throttle(pid)[1], pid)


def _system_stats(host: Host) -> list[Check]:
    def sources(path: str) -> compare.StatsSources:
        return compare.StatsSources(
            compare.parse_cpu(host.text("/proc/stat")),
            host.keyed("/proc/meminfo"),
            host.system.storage_kib(path),
        )

    def once() -> list[Check]:
        path = host.parameter("system_stats", "path")
        before = sources(path)
        shown = host.shown("system_stats")
        return compare.compare_stats_shown(before, shown, sources(path), path)

    return _best(MEMORY_ATTEMPTS, once)


class ProcEntry(NamedTuple):
    """A file in /proc."""

    #: The kernel module that makes it.
    module: str
    #: Compares its figures. Without it only its presence is checked.
    check: Optional[Function] = None


PROC_ENTRIES = {
    "capture_mem": ProcEntry("capture_mem_mod", _capture_mem),
    "track_syscalls": ProcEntry("track_syscalls_mod", _track_syscalls),
    "io_throttle": ProcEntry("io_throttle_mod", _io_throttle),
    "system_stats": ProcEntry("system_stats", _system_stats),
}


def proc_entry_problem(name: Any) -> str:
    """What is wrong with this name of an entry of /proc; empty if nothing is."""
    return "" if name in PROC_ENTRIES else f"it has to be one of {', '.join(PROC_ENTRIES)}"


def proc_entries(host: Host) -> list[Check]:
    """The entries of loaded modules, and those that the caller expects."""
    checks: list[Check] = []
    required = host.expected.get("proc_entries") or []
    for name, state in host.entries.items():
        if not (state["loaded"] or state["present"] or name in required):
            continue
        checks.append(
            compare.equal(f"/proc/{name} present", True, state["present"], state["module"])
        )
        if state["present"]:
            checks += _entry_checks(host, name)
    return checks


def own_calls(host: Host) -> list[Check]:
    """Those that the caller expects something of, also where nothing else calls the syscall."""
    numbers = {
        name: state["number"]
        for name, state in host.answers.items()
        if state["supported"] is not False
    }
    return [
        expected_calls.check(
            entry, numbers.get(entry["name"]), host.system.syscall_function(), host.system.isolated
        )
        for entry in host.expected.get("calls") or []
    ]


def _entry_checks(host: Host, name: str) -> list[Check]:
    check = PROC_ENTRIES[name].check
    try:
        return check(host) if check else []
    except OSError as error:
        # Whoever is not root may be kept out by the module's `mode`.
        ok = False if host.system.is_root() else None
        refusal = str(errno_name(error.errno or 0))
        return [Check(f"/proc/{name} readable", ok, True, refusal, None, str(error))]


def _best(
    attempts: int, compared: Callable[[], list[Check]], pause: Callable[[], None] = lambda: None
) -> list[Check]:
    """The attempt with the fewest faults: all checks of one attempt, never a mixture."""
    best = compared()
    for _attempt in range(attempts - 1):
        if _faults(best) == 0:
            break
        pause()
        checks = compared()
        if _faults(checks) < _faults(best):
            best = checks
    return best


def _faults(checks: Sequence[Check]) -> int:
    return sum(check.ok is False for check in checks)


# In the order of the rows.
CHECKS: tuple[Function, ...] = (
    identity,
    boot_message,
    first_calls,
    memory,
    memory_refusals,
    usage_entries,
    usage_refusals,
    workload,
    process_io,
    stopped_process_io,
    process_io_refusals,
    own_calls,
    proc_entries,
)


def run(host: Host) -> list[Check]:
    return [row for check in CHECKS for row in check(host)]
