# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel answers, and whether the system agrees."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._verify import checks as hc
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import Check
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CALL_SECONDS,
    CAPTURE,
    COUNTED,
    NOT_CALLED,
    SYSCALL_NAMES,
    THROTTLE,
    TRACK,
    AbiError,
    Answer,
    Isolated,
    Syscalls,
    UsageEntry,
    check_number,
    errno_name,
    machine_problem,
    manifest_path,
    merge_numbers,
    parse_manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.system import System, Uname

# A moving system may spoil one comparison; a wrong kernel spoils every one.
MEMORY_ATTEMPTS = 10
WORKLOAD_ATTEMPTS = 5
# Calls of processes that /proc cannot attribute (they ended meanwhile, or their read failed).
UNSEEN_CALLS = 16
# The syscall's answer when it is called as it should be.
GOOD_ANSWERS = {CAPTURE: 0, TRACK: len(COUNTED), THROTTLE: 0}
# /proc entry -> kernel module
PROC_ENTRIES = {
    "capture_mem": "capture_mem_mod",
    "track_syscalls": "track_syscalls_mod",
    "io_throttle": "io_throttle_mod",
    "system_stats": "system_stats",
}


class Options(NamedTuple):
    """The module's options."""

    manifest: str | None
    numbers: Mapping[str, int]
    pid: int | None
    expected: Mapping[str, Any]
    workload: int
    compare: bool
    proc_entries: bool


def gather(options: Options, system: System) -> dict[str, Any]:
    """Everything that the module returns."""
    uname = system.uname()
    path = options.manifest or manifest_path(uname.release)
    manifest = _read_manifest(system, path)
    for name, number in options.numbers.items():
        check_number(f"numbers.{name}", number)

    numbers = merge_numbers(manifest or {}, options.numbers)
    problem = machine_problem(uname.machine)
    not_called = (manifest or {}).get(NOT_CALLED, [])
    syscalls = {
        name: _probe(system, name, numbers[name], problem, called=name not in not_called)
        for name in sorted(numbers)
    }
    states = [state["supported"] for state in syscalls.values() if state["supported"] is not None]
    supported = bool(states) and all(states)

    answering = {name: numbers[name] for name, state in syscalls.items() if state["supported"]}
    host = _Host(system, Syscalls(system.syscall_function(), answering), options.pid or system.pid)
    host.fill_results(syscalls)
    entries = {name: host.proc_entry(name) for name in PROC_ENTRIES if options.proc_entries}

    checks: list[Check] = []
    if options.compare:
        checks += _check_identity(host, uname, manifest or {}, options.expected)
        checks += [_check_answer(name, state) for name, state in syscalls.items()]
        checks += host.check_syscalls(options.workload)
        checks += host.check_entries(entries, options.expected.get("proc_entries") or [])
    return {
        "supported": supported,
        "reason": "" if supported else problem or _why_not(syscalls, manifest, path),
        **uname._asdict(),
        "boot_id": _text(system, f"/{boot_id.PATH}").strip(),
        "manifest": manifest,
        "manifest_path": path,
        "syscalls": syscalls,
        "proc_entries": entries,
        "checks": [check._asdict() for check in checks],
        "failed_checks": [check.name for check in checks if check.ok is False],
    }


def _read_manifest(system: System, path: str) -> dict[str, Any] | None:
    try:
        text = system.read(path).decode()
    except UnicodeDecodeError as error:
        raise AbiError(f"{path} is not text: {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise AbiError(f"{path} cannot be read: {error.strerror}") from error
    return parse_manifest(text, path)


def _text(system: System, path: str) -> str:
    return system.read(path).decode(errors="replace")


def _check_identity(
    host: _Host, uname: Uname, manifest: Mapping[str, Any], expected: Mapping[str, Any]
) -> list[Check]:
    """What the caller expects, and where that is empty what the manifest says."""
    checks = []
    for label, key, actual in (
        ("release (uname -r)", "release", uname.release),
        ("sysname (uname -s)", "sysname", uname.sysname),
        # Only the manifest tells the build id: nothing that it could be held against but a wish.
        ("build id", "build_id", manifest.get("build_id")),
    ):
        wanted = expected.get(key) or manifest.get(key)
        if wanted:
            # The first digits name a build, too.
            shown = actual[: len(wanted)] if key == "build_id" and actual else actual
            checks.append(hc.equal(label, wanted, shown))
    message = expected.get("banner") or manifest.get("banner")
    if message and message.strip("\n"):
        checks.append(host.check_message(message))
    return checks


def _why_not(
    syscalls: Mapping[str, Mapping[str, Any]], manifest: Mapping[str, Any] | None, path: str
) -> str:
    if not syscalls:
        return f"no manifest at {path}" if manifest is None else f"{path} names no syscalls"
    return "; ".join(
        f"{name}: {state['detail']}" for name, state in syscalls.items() if state["detail"]
    )


def _probe(
    system: System, name: str, number: Any, problem: str, *, called: bool = True
) -> dict[str, Any]:
    """Whether the kernel has it. A child makes the first call, whatever that does to the child."""
    state: dict[str, Any] = {
        "supported": False,
        "number": number,
        "returned": None,
        "errno": 0,
        "errno_name": None,
        "result": None,
        "detail": problem,
    }
    known = name in SYSCALL_NAMES
    if not (known or called):  # those that are known are harmless
        state.update(supported=None, detail="not called, by the word of its entry (verify_call)")
        return state
    if problem:
        return state
    try:
        calls = Syscalls(system.syscall_function(), {name: number})
    except AbiError as error:
        state["detail"] = str(error)
        if not known and isinstance(number, int):  # it may well be there
            state["supported"] = None
        return state

    state["number"] = calls.numbers[name]

    def call() -> list[int]:
        if name == CAPTURE:
            return list(calls.capture()[0])
        if name == TRACK:
            return list(calls.track()[0])
        if name == THROTTLE:
            return list(calls.throttle(system.pid)[0])
        return list(calls.call(name))

    ended = system.isolated(call)
    if ended.value is None:
        state["detail"] = _no_answer(number, ended)
        return state
    answer = Answer(*ended.value)
    # Of an unknown one any answer will do but that there is none.
    good = answer.returned == GOOD_ANSWERS[name] if known else answer.errno != errno.ENOSYS
    state.update(
        supported=good,
        returned=answer.returned,
        errno=answer.errno,
        errno_name=errno_name(answer.errno),
    )
    if answer.errno == errno.ENOSYS:
        state["detail"] = f"the running kernel has no syscall {number} (ENOSYS)"
        if not known:
            state["detail"] += (
                ": it is not in its table, or was left out by its configuration. One that answers "
                "so itself to arguments that are all 0 needs verify_call: false in its entry"
            )
    elif not good:
        state["detail"] = (
            f"number {number} answers {hc.answer_text(answer)}: another syscall, or a fault"
        )
    return state


def _no_answer(number: int, ended: Isolated) -> str:
    if ended.late:
        return (
            f"number {number} did not return within {CALL_SECONDS:.0f} seconds to the process that "
            "called it with arguments that are all 0; the process was killed"
        )
    return f"number {number} ended the process that called it ({ended.signal_name or 'no answer'})"


def _check_answer(name: str, state: Mapping[str, Any]) -> Check:
    if state["supported"] is None:
        return Check(f"{name} answers", None, True, "not called", None, state["detail"])
    return hc.equal(f"{name} answers", True, state["supported"], state["detail"])


class _Host:
    """The running kernel and the syscalls of it that answer."""

    def __init__(self, system: System, calls: Syscalls, pid: int) -> None:
        self.system = system
        self.calls = calls
        self.pid = pid

    def has(self, name: str) -> bool:
        return name in self.calls.numbers

    def fill_results(self, syscalls: dict[str, dict[str, Any]]) -> None:
        """The values, typed, of one call each by this process."""
        if self.has(CAPTURE):
            _put(syscalls[CAPTURE], *self.calls.capture())
        if self.has(TRACK):
            answer, entries = self.calls.track()
            _put(
                syscalls[TRACK],
                answer,
                [
                    {"name": e.name, "count": e.count, "last_timestamp_ns": e.last_timestamp_ns}
                    for e in entries
                ],
            )
        if self.has(THROTTLE):
            answer, stats = self.calls.throttle(self.pid)
            _put(syscalls[THROTTLE], answer, dict(stats, pid=self.pid))

    def check_syscalls(self, workload: int) -> list[Check]:
        checks: list[Check] = []
        if self.has(CAPTURE):
            checks += self._memory()
            checks.append(self._error(CAPTURE, "EFAULT", "null", 0))
        if self.has(TRACK):
            checks += hc.compare_entries(*self.calls.track(len(COUNTED) * 2))
            checks.append(self._error(TRACK, "EINVAL", "size 3", 0, len(COUNTED) - 1))
            checks.append(self._error(TRACK, "EFAULT", "null", 0, len(COUNTED)))
            if workload:
                checks += self._workload(workload)
        if self.has(THROTTLE):
            checks += self._process(self.pid)
            checks += self._stopped_process()
            checks += self._throttle_errors()
        return checks

    def check_message(self, message: str) -> Check:
        logs = []
        for source, read in self.system.kernel_log():
            try:
                lines = read()
            except OSError:
                continue
            logs.append((source, lines))
            if hc.holds_boot(lines):
                break
        return hc.compare_message(message, logs)

    def _error(self, name: str, expected: str, case: str, *arguments: int) -> Check:
        label = f"{name} {case}"
        return hc.compare_answer(label, self.calls.call(name, *arguments), expected)

    def _meminfo(self) -> dict[str, int]:
        return hc.parse_keyed(_text(self.system, "/proc/meminfo"))

    def _memory(self) -> list[Check]:
        return _best(MEMORY_ATTEMPTS, self._memory_once)

    def _memory_once(self) -> list[Check]:
        before, started = self._meminfo(), self.system.monotonic_ns()
        _answer, snapshot = self.calls.capture()
        ended, after = self.system.monotonic_ns(), self._meminfo()
        name = f"{CAPTURE} timestamp_ns"
        return [
            *hc.compare_memory(before, snapshot, after),
            hc.compare_timestamp(name, started, snapshot["timestamp_ns"], ended),
        ]

    def _io(self, pid: int) -> dict[str, int]:
        return hc.parse_keyed(_text(self.system, f"/proc/{pid}/io"))

    def _process(self, pid: int) -> list[Check]:
        label = f"{THROTTLE} pid {pid}"
        if pid == self.system.pid:
            label = f"{THROTTLE} own"
        answer: Answer
        try:
            before = self._io(pid)
            answer, stats = self.calls.throttle(pid)
            after = self._io(pid)
        except OSError as error:
            # The syscall has to refuse what /proc refuses.
            answer = self.calls.throttle(pid)[0]
            refusal = "EPERM" if error.errno == errno.EACCES else "ESRCH"
            return [hc.compare_answer(label, answer, refusal)]
        return hc.compare_io(before, stats, after, label, f"/proc/{pid}/io")

    def _stopped_process(self) -> list[Check]:
        with self.system.stopped_child() as pid:
            before = self._io(pid)
            stats = self.calls.throttle(pid)[1]
            label = f"{THROTTLE} stopped child"
            return hc.compare_io(before, stats, self._io(pid), label, f"/proc/{pid}/io")

    def _throttle_errors(self) -> list[Check]:
        # pid_max itself is the first number that no process can have.
        free = hc.number(_text(self.system, "/proc/sys/kernel/pid_max"))
        checks = [
            self._error(THROTTLE, "EINVAL", "pid 0", 0, 0),
            self._error(THROTTLE, "EINVAL", "pid -1", -1, 0),
            self._error(THROTTLE, "ESRCH", "free pid", free, 0),
            self._error(THROTTLE, "EFAULT", "null", self.system.pid, 0),
        ]
        if self.system.is_root():
            name = f"{THROTTLE} of root's process as nobody"
            answer = self.system.as_nobody(lambda: self.calls.throttle(self.system.pid)[0])
            checks.append(hc.compare_answer(name, answer, "EPERM"))
        return checks

    def _usage(self) -> list[UsageEntry]:
        return self.calls.track()[1]

    def _usage_by_name(self) -> dict[str, UsageEntry]:
        return {entry.name: entry for entry in self._usage()}

    def _workload(self, calls: int) -> list[Check]:
        if {entry.name for entry in self._usage()} != set(COUNTED):
            return []  # the check of the names says so already
        checks = _best(
            WORKLOAD_ATTEMPTS,
            lambda: hc.compare_workload(self._window(calls, self.system.workload, threads=False)),
        )
        checks += _best(
            WORKLOAD_ATTEMPTS,
            lambda: [hc.compare_threads(self._window(calls, self.system.threads, threads=True))],
        )
        return checks

    def _window(self, calls: int, work: Callable[[int], None], threads: bool) -> hc.Window:
        """Run the workload between two looks at the counters, the system's own around them."""
        io_before, tasks_before = self.system.process_io(), self._tasks_created()
        started = self.system.coarse_ns()
        before = self._usage_by_name()
        work(calls)
        after = self._usage_by_name()
        ended = self.system.monotonic_ns()
        io_after, tasks_after = self.system.process_io(), self._tasks_created()
        # Opens of others are counted nowhere else. Only where there seem to be any: how many there
        # are in a pause as long as the work.
        idle = 0
        if not threads and after["open"].count - before["open"].count > calls + UNSEEN_CALLS:
            idle = self._idle_opens(ended - started)
        others = {
            "open": 2 * idle + UNSEEN_CALLS,
            "read": _io_rise(io_before, io_after, "syscr") + UNSEEN_CALLS,
            "write": _io_rise(io_before, io_after, "syscw") + UNSEEN_CALLS,
            "fork": max(0, tasks_after - tasks_before - calls),
        }
        return hc.Window(calls, before, after, started, ended, others)

    def _idle_opens(self, nanoseconds: int) -> int:
        before = self._usage_by_name()["open"].count
        self.system.pause(nanoseconds)
        return self._usage_by_name()["open"].count - before

    def _tasks_created(self) -> int:
        """Tasks since boot, threads and kernel threads too."""
        for line in bounded_read.lines(_text(self.system, "/proc/stat")):
            if line.startswith("processes "):
                return hc.number(line[len("processes ") :])
        return 0

    def proc_entry(self, name: str) -> dict[str, Any]:
        return {
            "module": PROC_ENTRIES[name],
            "loaded": self.system.exists(f"/sys/module/{PROC_ENTRIES[name]}"),
            "present": self.system.exists(f"/proc/{name}"),
        }

    def check_entries(
        self, entries: Mapping[str, Mapping[str, Any]], required: Sequence[str]
    ) -> list[Check]:
        checks: list[Check] = []
        for name, state in entries.items():
            if not (state["loaded"] or state["present"] or name in required):
                continue
            checks.append(
                hc.equal(f"/proc/{name} present", True, state["present"], state["module"])
            )
            if state["present"]:
                checks += self._entry_checks(name)
        return checks

    def _entry_checks(self, name: str) -> list[Check]:
        try:
            if name == "capture_mem" and self.has(CAPTURE):
                return _best(MEMORY_ATTEMPTS, self._capture_entry)
            if name == "track_syscalls" and self.has(TRACK):
                before = self._usage()
                return hc.compare_usage_shown(before, self._show(name), self._usage())
            if name == "io_throttle" and self.has(THROTTLE):
                return self._throttle_entry()
            if name == "system_stats":
                return _best(MEMORY_ATTEMPTS, self._stats_entry)
        except OSError as error:
            # Whoever is not root may be kept out by the module's `mode`.
            ok = False if self.system.is_root() else None
            refusal = str(errno_name(error.errno or 0))
            return [Check(f"/proc/{name} readable", ok, True, refusal, None, str(error))]
        return []

    def _show(self, name: str) -> str:
        return self.system.read(f"/proc/{name}").decode("utf-8", "backslashreplace")

    def _parameter(self, module: str, name: str) -> str:
        return _text(self.system, f"/sys/module/{module}/parameters/{name}").rstrip("\n")

    def _capture_entry(self) -> list[Check]:
        before = self.calls.capture()[1]
        shown = hc.parse_keyed(self._show("capture_mem"))
        return hc.compare_memory_shown(before, shown, self.calls.capture()[1])

    def _throttle_entry(self) -> list[Check]:
        # 0 stands for whoever opens the file.
        pid = hc.number(self._parameter("io_throttle_mod", "pid")) or self.system.pid
        try:
            # The parameter may be the id of a thread, and that may have ended.
            pid = hc.parse_keyed(self._show("io_throttle")).get("pid", pid)
            before = self.calls.throttle(pid)[1]
            shown = self._show("io_throttle")
        except OSError as error:
            answer = self.calls.throttle(pid)[0]
            return [hc.compare_throttle_refused(answer, error.errno or 0, pid)]
        return hc.compare_throttle_shown(before, shown, self.calls.throttle(pid)[1], pid)

    def _stats_sources(self, path: str) -> hc.StatsSources:
        return hc.StatsSources(
            hc.parse_cpu(_text(self.system, "/proc/stat")),
            self._meminfo(),
            self.system.storage_kib(path),
        )

    def _stats_entry(self) -> list[Check]:
        path = self._parameter("system_stats", "path")
        before = self._stats_sources(path)
        shown = self._show("system_stats")
        return hc.compare_stats_shown(before, shown, self._stats_sources(path), path)


def _put(state: dict[str, Any], answer: Answer, result: Any) -> None:
    state.update(
        returned=answer.returned,
        errno=answer.errno,
        errno_name=errno_name(answer.errno),
        result=result if answer.returned >= 0 else None,
    )


def _best(attempts: int, compare: Callable[[], list[Check]]) -> list[Check]:
    """The attempt with the fewest faults: all checks of one attempt, never a mixture."""
    best = compare()
    for _attempt in range(attempts - 1):
        if _faults(best) == 0:
            break
        checks = compare()
        if _faults(checks) < _faults(best):
            best = checks
    return best


def _faults(checks: Sequence[Check]) -> int:
    return sum(check.ok is False for check in checks)


def _io_rise(before: Mapping[int, bytes], after: Mapping[int, bytes], field: str) -> int:
    """How many calls the other processes made by /proc/PID/io, those that are new included."""
    total = 0
    for pid, text in after.items():
        now = hc.parse_keyed(text.decode(errors="replace")).get(field, 0)
        then = 0
        if pid in before:
            then = hc.parse_keyed(before[pid].decode(errors="replace")).get(field, 0)
        total += max(0, now - then)
    return total
