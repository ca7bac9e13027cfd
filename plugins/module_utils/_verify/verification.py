# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel answers, and whether the system agrees."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id
from ansible_collections.oslab.kernel.plugins.module_utils._verify import checks, compare
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import PROC_ENTRIES, Host
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check
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
    check_number,
    errno_name,
    machine_problem,
    manifest_path,
    merge_numbers,
    parse_manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.system import System

# The syscall's answer when it is called as it should be.
GOOD_ANSWERS = {CAPTURE: 0, TRACK: len(COUNTED), THROTTLE: 0}


class Options(NamedTuple):
    """The module's options."""

    manifest: str | None
    numbers: Mapping[str, int]
    pid: int | None
    expected: Mapping[str, Any]
    workload: int
    compare: bool
    proc_entries: bool
    #: Seconds.
    boot_timeout: int
    kernel_log: bool
    health: Mapping[str, Any] | None


def gather(options: Options, system: System) -> dict[str, Any]:
    """Everything that the module returns."""
    uname = system.uname()
    path = options.manifest or manifest_path(uname.release)
    manifest = _read_manifest(system, path)
    for name, number in options.numbers.items():
        check_number(f"numbers.{name}", number)

    # First, as both wait until the boot is done.
    health = system.health(options.health, options.boot_timeout) if options.health else None
    if options.kernel_log and not options.health:
        system.wait_until_up(options.boot_timeout)
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
    calls = Syscalls(system.syscall_function(), answering)
    pid = options.pid or system.pid
    _fill_results(calls, pid, syscalls)
    entries = {name: _proc_entry(system, name) for name in PROC_ENTRIES if options.proc_entries}

    rows: list[Check] = []
    if options.compare:
        host = Host(
            system=system,
            calls=calls,
            pid=pid,
            uname=uname,
            manifest=manifest or {},
            expected=options.expected,
            workload=options.workload,
            answers=syscalls,
            entries=entries,
        )
        rows = checks.run(host)
        _fill_after(calls, pid, syscalls)
    boot = _text(system, f"/{boot_id.PATH}").strip()
    return {
        "supported": supported,
        "reason": "" if supported else problem or _why_not(syscalls, manifest, path),
        **uname._asdict(),
        "boot_id": boot,
        "boot_time": system.boot_time(),
        "time": system.clock(),
        "trial": system.trial(uname.release, boot),
        "manifest": manifest,
        "manifest_path": path,
        "syscalls": syscalls,
        "proc_entries": entries,
        "checks": [row._asdict() for row in rows],
        "failed_checks": [row.name for row in rows if row.ok is False],
        # Last, so that it has what the kernel complains of until then.
        "kernel_log": system.complaints() if options.kernel_log else None,
        "health": health,
    }


def _proc_entry(system: System, name: str) -> dict[str, Any]:
    module = PROC_ENTRIES[name].module
    return {
        "module": module,
        "loaded": system.exists(f"/sys/module/{module}"),
        "present": system.exists(f"/proc/{name}"),
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
        "after": None,
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
            f"number {number} answers {compare.answer_text(answer)}: another syscall, or a fault"
        )
    return state


def _no_answer(number: int, ended: Isolated) -> str:
    if ended.late:
        return (
            f"number {number} did not return within {CALL_SECONDS:.0f} seconds to the process that "
            "called it with arguments that are all 0; the process was killed"
        )
    return f"number {number} ended the process that called it ({ended.signal_name or 'no answer'})"


def _fill_results(calls: Syscalls, pid: int, syscalls: dict[str, dict[str, Any]]) -> None:
    """The values, typed, of one call each by this process."""
    if CAPTURE in calls.numbers:
        _put(syscalls[CAPTURE], *calls.capture())
    if TRACK in calls.numbers:
        answer, entries = calls.track()
        _put(
            syscalls[TRACK],
            answer,
            [
                {"name": e.name, "count": e.count, "last_timestamp_ns": e.last_timestamp_ns}
                for e in entries
            ],
        )
    if THROTTLE in calls.numbers:
        answer, stats = calls.throttle(pid)
        _put(syscalls[THROTTLE], answer, dict(stats, pid=pid))


def _fill_after(calls: Syscalls, pid: int, syscalls: dict[str, dict[str, Any]]) -> None:
    """The values once more, when all comparisons are done."""
    again = {name: dict(state) for name, state in syscalls.items()}
    _fill_results(calls, pid, again)
    for name in calls.numbers:
        syscalls[name]["after"] = again[name]["result"]


def _put(state: dict[str, Any], answer: Answer, result: Any) -> None:
    state.update(
        returned=answer.returned,
        errno=answer.errno,
        errno_name=errno_name(answer.errno),
        result=result if answer.returned >= 0 else None,
    )
