# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparisons of what a syscall said with what the system says: pure functions, typed results.

A moving value is compared by bracketing: the system's source is read before and after the call,
and the answer has to lie between the two readings. Only where a value may swing in between is a
drift allowed, and every check states the one that it used.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    COUNTED,
    IO_FIELDS,
    MEMORY_FIELDS,
    TRACK,
    Answer,
    UsageEntry,
    errno_name,
)

# Which line of /proc/meminfo each field repeats.
MEMINFO_KEYS = {
    "total_kb": "MemTotal",
    "free_kb": "MemFree",
    "available_kb": "MemAvailable",
    "buffers_kb": "Buffers",
    "cached_kb": "Cached",
    "shmem_kb": "Shmem",
    "slab_kb": "Slab",
    "active_kb": "Active",
    "inactive_kb": "Inactive",
    "swap_total_kb": "SwapTotal",
    "swap_free_kb": "SwapFree",
}

# How far, in KiB, memory may swing out and back between two readings of /proc/meminfo: 64 pages
# (a batch of one CPU's free list). Sizes that only an administrator changes get none.
MEMORY_DRIFT_KIB = 256
FIXED_MEMORY_FIELDS = ("total_kb", "swap_total_kb")

# Columns of the line `cpu` of /proc/stat, in USER_HZ ticks of 10 ms.
CPU_TIMES = (
    "user",
    "nice",
    "system",
    "idle",
    "iowait",
    "irq",
    "softirq",
    "steal",
    "guest",
    "guest_nice",
)
TICK_MS = 10

_KERNEL_START = b"Linux version "
# No counter of the kernel has more digits than 64 bits need.
_NUMBER = re.compile(r"[ \t\n]*([0-9]{1,20})\b")
_SINGLE_VALUE = re.compile(r"^([^:]+):[ \t]*([0-9]{1,20})\b")
_PAIR = re.compile(r"\b([a-z_]+)=([0-9]{1,20})\b")


class Check(NamedTuple):
    """One comparison. `ok` is None where the system can no longer tell."""

    name: str
    ok: bool | None
    expected: Any
    actual: Any
    tolerance: str | None = None
    detail: str = ""


def equal(name: str, expected: Any, actual: Any, detail: str = "") -> Check:
    return Check(name, expected == actual, expected, actual, None, detail)


def within(
    name: str, low: int, actual: int, high: int, drift: int = 0, unit: str = "", detail: str = ""
) -> Check:
    """`actual` lies in [low - drift, high + drift]."""
    low, high = min(low, high), max(low, high)
    expected = str(low) if low == high else f"{low}..{high}"
    tolerance = f"{drift}{' ' + unit if unit else ''}" if drift else None
    ok = low - drift <= actual <= high + drift
    return Check(name, ok, expected, actual, tolerance, detail)


def number(text: str) -> int:
    """The number at the start; 0 if there is none."""
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


def parse_keyed(text: str) -> dict[str, int]:
    """`key: number [unit]` lines, as in /proc/meminfo, /proc/PID/io and the modules' entries.

    Other lines are passed over.
    """
    values: dict[str, int] = {}
    for line in lines(text):
        match = _SINGLE_VALUE.match(line.strip())
        if match:
            values[match.group(1).strip()] = int(match.group(2))
    return values


def parse_pairs(text: str) -> dict[str, dict[str, int]]:
    """`key: name=number name=number` lines, as in /proc/track_syscalls and /proc/system_stats."""
    values: dict[str, dict[str, int]] = {}
    for line in lines(text):
        key, colon, rest = line.partition(":")
        pairs = {name: int(digits) for name, digits in _PAIR.findall(rest)}
        if colon and pairs:
            values[key.strip()] = pairs
    return values


def _unread(name: str, actual: Any, source: str) -> Check:
    return Check(name, None, None, actual, None, f"{source} cannot be read")


def compare_memory(
    before: Mapping[str, int],
    snapshot: Mapping[str, int],
    after: Mapping[str, int],
    label: str = CAPTURE,
    drift: int = MEMORY_DRIFT_KIB,
) -> list[Check]:
    """Every size against /proc/meminfo read before and after (both by meminfo's keys)."""
    checks = []
    for field, key in MEMINFO_KEYS.items():
        name = f"{label} {field}"
        if field not in snapshot:
            checks.append(Check(name, False, before.get(key), None, None, "the field is missing"))
            continue
        if key not in before or key not in after:
            checks.append(_unread(name, snapshot[field], f"/proc/meminfo {key}"))
            continue
        allowed = 0 if field in FIXED_MEMORY_FIELDS else drift
        checks.append(
            within(
                name,
                before[key],
                snapshot[field],
                after[key],
                allowed,
                "KiB",
                f"/proc/meminfo {key}",
            )
        )
    return checks


def compare_io(
    before: Mapping[str, int],
    stats: Mapping[str, int],
    after: Mapping[str, int],
    label: str,
    detail: str = "",
) -> list[Check]:
    """Each counter lies between the two readings: they only grow, so there is no tolerance."""
    checks = []
    for field in IO_FIELDS:
        name = f"{label} {field}"
        if field not in stats:
            checks.append(Check(name, False, before.get(field), None, None, "the field is missing"))
        elif field not in before or field not in after:
            checks.append(_unread(name, stats[field], detail))
        else:
            checks.append(within(name, before[field], stats[field], after[field], detail=detail))
    return checks


def compare_timestamp(name: str, before: int, timestamp: int, after: int) -> Check:
    """A CLOCK_MONOTONIC time taken between two readings of that clock."""
    return within(name, before, timestamp, after, detail="CLOCK_MONOTONIC, ns")


def compare_answer(name: str, answer: Answer, expected: str) -> Check:
    """`expected` is the returned number in digits, or the name of an errno."""
    return equal(name, expected, answer_text(answer))


def answer_text(answer: Answer) -> str:
    if answer.returned == -1 and answer.errno:
        return str(errno_name(answer.errno))
    return str(answer.returned)


def compare_entries(answer: Answer, entries: Sequence[UsageEntry]) -> list[Check]:
    """The shape of track_syscall_usage's answer: `entries` is a buffer larger than needed."""
    used, rest = entries[: len(COUNTED)], entries[len(COUNTED) :]
    padded = all(
        entry.raw_name == name.encode().ljust(16, b"\0") for entry, name in zip(used, COUNTED)
    )
    untouched = all(entry.raw_name == b"\xff" * 16 for entry in rest)
    return [
        compare_answer(f"{TRACK} entries", answer, str(len(COUNTED))),
        equal(f"{TRACK} names", " ".join(COUNTED), " ".join(entry.name for entry in used)),
        equal(f"{TRACK} names zero-padded", True, padded, "no byte of kernel memory behind them"),
        equal(f"{TRACK} writes no more", True, untouched, "entries past the fourth unchanged"),
    ]


class Window(NamedTuple):
    """What was counted while a workload ran, and what else the system saw meanwhile."""

    calls: int
    before: Mapping[str, UsageEntry]
    after: Mapping[str, UsageEntry]
    started_ns: int  # CLOCK_MONOTONIC_COARSE: never ahead of the clock that the kernel stamps with
    ended_ns: int
    others: Mapping[str, int]  # calls that other processes may have made in the meantime


def rise(window: Window, name: str) -> int:
    return window.after[name].count - window.before[name].count


def compare_workload(window: Window) -> list[Check]:
    """Counts rise by what was called, at most by what the others may have called on top."""
    checks = []
    for name in COUNTED:
        checks.append(
            within(
                f"{TRACK} {name} counted",
                window.calls,
                rise(window, name),
                window.calls + window.others[name],
                detail=f"{window.calls} calls made; other processes: at most {window.others[name]}",
            )
        )
        checks.append(
            compare_timestamp(
                f"{TRACK} {name} last_timestamp_ns",
                window.started_ns,
                window.after[name].last_timestamp_ns,
                window.ended_ns,
            )
        )
    return checks


def compare_threads(window: Window) -> Check:
    """A new thread is no fork: the count rises by less than one for each thread started."""
    return within(
        f"{TRACK} threads are no forks",
        0,
        rise(window, "fork"),
        window.others["fork"],
        detail=f"{window.calls} threads started; others: at most {window.others['fork']} forks",
    )


def compare_usage_shown(
    before: Sequence[UsageEntry], text: str, after: Sequence[UsageEntry]
) -> list[Check]:
    """/proc/track_syscalls between two calls of the syscall."""
    shown = parse_pairs(text)
    checks = []
    for low, high in zip(before, after):
        values = shown.get(low.name, {})
        for field in ("count", "last_timestamp_ns"):
            name = f"/proc/track_syscalls {low.name} {field}"
            if field not in values:
                checks.append(Check(name, False, getattr(low, field), None, None, "not shown"))
            else:
                checks.append(
                    within(name, getattr(low, field), values[field], getattr(high, field))
                )
    return checks


def holds_boot(lines: Sequence[bytes]) -> bool:
    """Whether the log still begins with the kernel's first message."""
    return any(line.startswith(_KERNEL_START) for line in lines)


def find_message(wanted: Sequence[bytes], lines: Sequence[bytes]) -> int:
    """How many of the wanted lines stand in the log, each literally, one after the other."""
    best = 0
    for start in range(len(lines)):
        found = 0
        for offset, line in enumerate(wanted):
            if start + offset >= len(lines) or lines[start + offset] != line:
                break
            found += 1
        best = max(best, found)
    return best


def compare_message(message: str, logs: Sequence[tuple[str, Sequence[bytes]]]) -> Check:
    """The boot message in the first log that reaches back to the boot.

    `logs` are (source, lines), the nearest first. A message found is found wherever it is; one
    not found is missing only if the log still has the start of the boot, otherwise nobody knows.
    """
    name = "boot message"
    text = message.rstrip("\n").split("\n")  # as the patch takes it apart
    wanted = [line.encode() for line in text]
    expected = f"{len(wanted)} lines"
    sources = []
    for source, log in logs:
        sources.append(source)
        found = find_message(wanted, log)
        if found == len(wanted):
            return Check(name, True, expected, expected, None, f"each literally, in {source}")
        if holds_boot(log):
            missing = [line for line, literal in zip(text, wanted) if literal not in log]
            what = f"`{missing[0]}` is not in it" if missing else "lines not one after the other"
            return Check(name, False, expected, f"{found} lines", None, f"{source}: {what}")
    detail = "the beginning of this boot is no longer in {}".format(
        " or ".join(sources or ["any log"])
    )
    return Check(name, None, expected, "unknown", None, detail)


def compare_memory_shown(
    before: Mapping[str, int],
    shown: Mapping[str, int],
    after: Mapping[str, int],
    drift: int = MEMORY_DRIFT_KIB,
) -> list[Check]:
    """/proc/capture_mem between two calls of the syscall, which has the same field names."""
    checks = []
    for field in MEMORY_FIELDS:
        name = f"/proc/capture_mem {field}"
        if field not in shown:
            checks.append(Check(name, False, before[field], None, None, "not shown"))
            continue
        exact = field in FIXED_MEMORY_FIELDS or field not in MEMINFO_KEYS
        allowed = 0 if exact else drift
        checks.append(within(name, before[field], shown[field], after[field], allowed, "KiB"))
    return checks


def compare_throttle_shown(
    before: Mapping[str, int], text: str, after: Mapping[str, int], pid: int
) -> list[Check]:
    """/proc/io_throttle between two calls of the syscall for the process that it shows."""
    return compare_io(before, parse_keyed(text), after, "/proc/io_throttle", f"process {pid}")


def compare_throttle_refused(answer: Answer, refusal: int, pid: int) -> Check:
    """/proc/io_throttle refused to show a process: so must the syscall, for the same reason."""
    name = "/proc/io_throttle refuses"
    refused = str(errno_name(refusal))
    if answer.returned == 0 and refusal == errno.ESRCH:
        # The module shows the process that had the number when it was set, or nothing.
        detail = f"the process that was set is gone; another one may have got its number {pid}"
        return Check(name, None, "0", refused, None, detail)
    return equal(name, answer_text(answer), refused, f"process {pid}")


def parse_cpu(text: str) -> dict[str, int]:
    """/proc/stat: ticks of all CPUs together by kind, and how many are online."""
    values = dict.fromkeys(CPU_TIMES, 0)
    for line in lines(text):
        found = words(line)
        if found[:1] == ["cpu"]:
            values.update(zip(CPU_TIMES, map(number, found[1:])))
    values["online"] = len(re.findall(r"^cpu\d+ ", text, re.MULTILINE))
    return values


class StatsSources(NamedTuple):
    """What /proc/system_stats repeats, read one after the other."""

    cpu: Mapping[str, int]
    meminfo: Mapping[str, int]
    storage: Mapping[str, int]


def compare_stats_shown(
    before: StatsSources, text: str, after: StatsSources, path: str
) -> list[Check]:
    """/proc/system_stats against /proc/stat, /proc/meminfo and statfs(2)."""
    shown = parse_keyed(text)
    shown_path = "".join(re.findall(r"^storage_path: (.*)$", text, re.MULTILINE))
    label = "/proc/system_stats"
    escaped = path.replace("\\", "\\134").replace("\n", "\\012")  # as seq_escape() writes them
    checks = [equal(f"{label} storage_path", escaped, shown_path)]

    def add(field: str, low: int, high: int, drift: int = 0, unit: str = "", of: str = "") -> None:
        name = f"{label} {field}"
        if field in shown:
            checks.append(within(name, low, shown[field], high, drift, unit, of))
        else:
            checks.append(Check(name, False, low, None, None, "not shown"))

    add("cpus_online", before.cpu["online"], after.cpu["online"], of="/proc/stat")
    for kind in CPU_TIMES:
        low, high = before.cpu[kind] * TICK_MS, after.cpu[kind] * TICK_MS
        add(f"cpu_{kind}_ms", low, high, TICK_MS, "ms", "/proc/stat, which counts in ticks")
    for field, key, drift in (
        ("mem_total_kb", "MemTotal", 0),
        ("mem_free_kb", "MemFree", MEMORY_DRIFT_KIB),
    ):
        low, high = (about.meminfo.get(key, 0) for about in (before, after))
        add(field, low, high, drift, "KiB", f"/proc/meminfo {key}")
    for kind in before.storage:
        add(f"storage_{kind}_kb", before.storage[kind], after.storage[kind], of=f"statfs {path}")
    return checks
