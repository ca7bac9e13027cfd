# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three syscalls as a program sees them: numbers, structs, answers.

    import oslab_kernel

    oslab_kernel.capture_memory_snapshot()["available_kb"]
    oslab_kernel.track_syscall_usage()["fork"].count
    oslab_kernel.get_io_throttle(1)["write_bytes"]

This file is also what the package oslab-kernel-tools installs as the module `oslab_kernel`, so it
needs the standard library only. What programs call are these three functions, which raise OSError;
the rest is for those that check the kernel.

The layouts repeat include/uapi/linux/oslab.h; a unit test compares the two. Importing it touches
nothing of the machine.
"""

from __future__ import annotations

import ctypes
import errno as errno_numbers
import functools
import json
import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NamedTuple

CAPTURE = "capture_memory_snapshot"
TRACK = "track_syscall_usage"
THROTTLE = "get_io_throttle"
SYSCALL_NAMES = (CAPTURE, TRACK, THROTTLE)

# What track_syscall_usage counts, in the order in which it answers.
COUNTED = ("open", "read", "write", "fork")

# Of the manifest; all else in it is returned as it is.
MANIFEST_TEXTS = ("release", "version", "build_id", "sysname", "banner")
# Names of syscalls that must not be called to see whether they are there; absent if there are none.
NOT_CALLED = "not_called"

# Below: 0-334 are long-standing calls, some of which destroy things, and 335/336 (uretprobe,
# uprobe) kill a process that calls them. Above: 512-547 is the x32 range.
FIRST_NUMBER = 337
LAST_NUMBER = 511

# A call in a child has these. It takes microseconds, but a machine may be busy with its boot, and
# one that is too slow here would be recovered to its fallback kernel.
CALL_SECONDS = 30.0
_KILL_SECONDS = 2.0


class MemSnapshot(ctypes.Structure):
    """struct mem_snapshot: 96 bytes, sizes in KiB."""

    _fields_ = [
        ("total_kb", ctypes.c_uint64),
        ("free_kb", ctypes.c_uint64),
        ("available_kb", ctypes.c_uint64),
        ("buffers_kb", ctypes.c_uint64),
        ("cached_kb", ctypes.c_uint64),
        ("shmem_kb", ctypes.c_uint64),
        ("slab_kb", ctypes.c_uint64),
        ("active_kb", ctypes.c_uint64),
        ("inactive_kb", ctypes.c_uint64),
        ("swap_total_kb", ctypes.c_uint64),
        ("swap_free_kb", ctypes.c_uint64),
        ("timestamp_ns", ctypes.c_uint64),
    ]


class SyscallUsageUser(ctypes.Structure):
    """struct syscall_usage_user: 32 bytes."""

    _fields_ = [
        ("name", ctypes.c_char * 16),
        ("count", ctypes.c_uint64),
        ("last_timestamp_ns", ctypes.c_uint64),
    ]


class IoStatsUser(ctypes.Structure):
    """struct io_stats_user: 48 bytes, the fields of /proc/PID/io."""

    _fields_ = [
        ("rchar", ctypes.c_uint64),
        ("wchar", ctypes.c_uint64),
        ("syscr", ctypes.c_uint64),
        ("syscw", ctypes.c_uint64),
        ("read_bytes", ctypes.c_uint64),
        ("write_bytes", ctypes.c_uint64),
    ]


MEMORY_FIELDS = tuple(field[0] for field in MemSnapshot._fields_)
IO_FIELDS = tuple(field[0] for field in IoStatsUser._fields_)


class Answer(NamedTuple):
    """What one call gave back; errno is 0 unless it failed."""

    returned: int
    errno: int


@dataclass(frozen=True)
class UsageEntry:
    """One entry of track_syscall_usage; `raw_name` is all 16 bytes."""

    name: str
    count: int
    last_timestamp_ns: int
    raw_name: bytes


# (number, six integer arguments) -> Answer
SyscallFunction = Callable[..., Answer]


class AbiError(Exception):
    """A number or a manifest that cannot be used; the message says which and why."""


def errno_name(number: int) -> str | None:
    """ENOSYS for 38; None for 0; the digits for a number without a name."""
    if number == 0:
        return None
    return errno_numbers.errorcode.get(number, str(number))


def machine_problem(machine: str, pointer_bytes: int = ctypes.sizeof(ctypes.c_void_p)) -> str:
    """Why the syscalls cannot be called from this process, or an empty string."""
    if machine != "x86_64":
        return f"the syscalls exist on x86_64 only, this machine is {machine}"
    if pointer_bytes != 8:
        return "the Python interpreter is a 32-bit program, the numbers are those of 64-bit ones"
    return ""


def check_number(name: str, number: Any) -> int:
    """The number as an integer, or AbiError if calling it might do anything else."""
    # As a template may give it. int() takes digits of all scripts, and as many as there are.
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise AbiError(f"the number of {name} must be an integer, not {number!r}")
    if not FIRST_NUMBER <= number <= LAST_NUMBER:
        raise AbiError(
            f"the number of {name} is {number}; only {FIRST_NUMBER} to {LAST_NUMBER} are called,"
            " because lower ones are other syscalls and higher ones the x32 range"
        )
    return number


# Repeats `_common/manifest.py` and `parse_json`: as the module `oslab_kernel`, this file is alone.
def manifest_path(release: str) -> str:
    """Where the image package of a kernel has its manifest."""
    return f"/lib/modules/{release}/oslab-kernel.json"


def parse_manifest(text: str, path: str) -> dict[str, Any]:
    """The manifest of an image package; AbiError says what is wrong with it."""
    try:
        manifest = json.loads(text)
        # Python takes NaN, numbers without end and halves of characters; who gets them, does not.
        json.dumps(manifest, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise AbiError(f"{path} is not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise AbiError(f"{path} is not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise AbiError(f"{path} must hold a JSON object")
    numbers = manifest.get("syscalls", {})
    if not isinstance(numbers, dict):
        raise AbiError(f"{path}: `syscalls` must map names to numbers")
    for name in MANIFEST_TEXTS:
        if not isinstance(manifest.get(name), (str, type(None))):
            raise AbiError(f"{path}: `{name}` must be a text, not {manifest[name]!r:.60}")
    not_called = manifest.get(NOT_CALLED, [])
    if not isinstance(not_called, list) or not all(isinstance(one, str) for one in not_called):
        raise AbiError(f"{path}: `{NOT_CALLED}` must be a list of names")
    return manifest


def merge_numbers(manifest: Mapping[str, Any], override: Mapping[str, int]) -> dict[str, int]:
    """Numbers of the manifest, those of the caller over them, unchecked."""
    return {**manifest.get("syscalls", {}), **override}


def raw_syscall() -> SyscallFunction:
    """libc's syscall(2), with every argument a full 64-bit word.

    Without argtypes ctypes would pass Python integers as 32-bit ints and cut addresses; without
    restype it would cut the result. Unused arguments are zero, so that a syscall of another
    meaning behind the number finds nothing usable.
    """
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    function.argtypes = [ctypes.c_long] * 7

    def call(number: int, *arguments: int) -> Answer:
        words = list(arguments) + [0] * (6 - len(arguments))
        ctypes.set_errno(0)
        returned = function(number, *words)
        return Answer(returned, ctypes.get_errno() if returned == -1 else 0)

    return call


class Syscalls:
    """The calls with their structs; numbers are checked at construction."""

    def __init__(self, call: SyscallFunction, numbers: Mapping[str, int]) -> None:
        self.numbers = {name: check_number(name, number) for name, number in numbers.items()}
        self._call = call

    def capture(self) -> tuple[Answer, dict[str, int]]:
        """capture_memory_snapshot() into a buffer of ones, so that a field left out shows."""
        snapshot = MemSnapshot()
        ctypes.memset(ctypes.addressof(snapshot), 0xFF, ctypes.sizeof(snapshot))
        answer = self._call(self.numbers[CAPTURE], ctypes.addressof(snapshot))
        return answer, {name: getattr(snapshot, name) for name in MEMORY_FIELDS}

    def track(self, entries: int = len(COUNTED)) -> tuple[Answer, list[UsageEntry]]:
        """track_syscall_usage() into a buffer of ones that holds `entries`; all are returned."""
        buffer = (SyscallUsageUser * entries)()
        ctypes.memset(ctypes.addressof(buffer), 0xFF, ctypes.sizeof(buffer))
        answer = self._call(self.numbers[TRACK], ctypes.addressof(buffer), entries)
        return answer, [_usage_entry(entry) for entry in buffer]

    def throttle(self, pid: int) -> tuple[Answer, dict[str, int]]:
        """get_io_throttle() of a process."""
        stats = IoStatsUser()
        ctypes.memset(ctypes.addressof(stats), 0xFF, ctypes.sizeof(stats))
        answer = self._call(self.numbers[THROTTLE], pid, ctypes.addressof(stats))
        return answer, {name: getattr(stats, name) for name in IO_FIELDS}

    def call(self, name: str, *arguments: int) -> Answer:
        """Any arguments: for the error paths."""
        return self._call(self.numbers[name], *arguments)


def capture_memory_snapshot() -> dict[str, int]:
    """Field → KiB, as /proc/meminfo counts; `timestamp_ns` is CLOCK_MONOTONIC.

    They are read one after the other, as there, and `timestamp_ns` last.

    Raises OSError: ENOSYS where the running kernel has no such syscall.
    """
    answer, fields = _running(CAPTURE).capture()
    _raise_for(answer, CAPTURE)
    return fields


def track_syscall_usage() -> dict[str, UsageEntry]:
    """`open`, `read`, `write`, `fork` → calls since boot, and when the last was made.

    Raises OSError: ENOSYS where the running kernel has no such syscall.
    """
    answer, entries = _running(TRACK).track()
    _raise_for(answer, TRACK)
    return {entry.name: entry for entry in entries}


def get_io_throttle(pid: int | None = None) -> dict[str, int]:
    """Field of /proc/PID/io → bytes or calls since the process started; None for the caller.

    Raises OSError: ENOSYS where the running kernel has no such syscall, ProcessLookupError where
    there is no such process, PermissionError without ptrace access to it (ptrace(2),
    PTRACE_MODE_READ_FSCREDS), EINVAL for a pid that is not positive.
    """
    if pid is not None and not -(2**31) <= pid < 2**31:
        raise OverflowError(f"pid {pid} is no int of C: the kernel would see another one")
    answer, fields = _running(THROTTLE).throttle(os.getpid() if pid is None else pid)
    _raise_for(answer, THROTTLE)
    return fields


def _raise_for(answer: Answer, name: str) -> None:
    if answer.returned < 0:
        raise OSError(answer.errno, os.strerror(answer.errno), name)


@functools.cache
def _running(name: str) -> Syscalls:
    """One syscall of the running kernel. Its number, once found, does not change."""
    names = os.uname()
    path = manifest_path(names.release)
    problem = machine_problem(names.machine)
    try:
        if problem:
            raise AbiError(problem)
        numbers = parse_manifest(Path(path).read_text(encoding="utf-8"), path).get("syscalls", {})
        if name not in numbers:
            raise AbiError(f"{path} names no number of it")
        return Syscalls(raw_syscall(), {name: numbers[name]})
    except (OSError, AbiError) as error:
        # As the kernel itself would say; why it is not even asked stands in the text.
        why = f"not supported by this kernel: {error}"
        raise OSError(errno_numbers.ENOSYS, why, name) from error


def _usage_entry(entry: SyscallUsageUser) -> UsageEntry:
    raw_name = ctypes.string_at(ctypes.addressof(entry), 16)
    name = raw_name.split(b"\0", 1)[0].decode("ascii", "backslashreplace")
    return UsageEntry(name, entry.count, entry.last_timestamp_ns, raw_name)


class Isolated(NamedTuple):
    """How a call in a child ended: its JSON value, or the signal that killed it.

    `late`: it did not end in its time, and was killed for it.
    """

    value: Any
    signal_name: str | None
    late: bool = False


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def in_child(function: Callable[[], Any], seconds: float = CALL_SECONDS) -> Isolated:
    """Run `function` in a forked child and bring its JSON value home.

    The first call of a number happens here: were it another syscall, one that closes descriptors,
    sleeps or ends its caller, only the child would feel it.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            _cut_off()
            os.write(writer, json.dumps(function()).encode())
            status = 0
        finally:
            # Never return into the parent's code, whatever happened.
            os._exit(status)
    os.close(writer)
    end = time.monotonic() + seconds
    with os.fdopen(reader, "rb", buffering=0) as stream:
        text = _read_until(stream.fileno(), end)
    ended = _status(child, end)
    if ended is None:
        os.kill(child, signal.SIGKILL)
        # One that sleeps in the kernel and takes no signal is left behind.
        _status(child, time.monotonic() + _KILL_SECONDS)
    elif os.WIFSIGNALED(ended):
        return Isolated(None, _signal_name(os.WTERMSIG(ended)))
    return Isolated(_first_value(text), None, late=ended is None and not text)


def _cut_off() -> None:
    """Nothing that the parent has is the child's: terminal, streams, process group.

    Whoever waits for the end of the parent's streams does not wait for a child that is left behind.
    """
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def _read_until(descriptor: int, end: float) -> bytes:
    """What comes until the other side is closed or the time is over."""
    text = b""
    while select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            break
        text += chunk
    return text


def _status(child: int, end: float) -> int | None:
    """How a child has ended; None if it has not by then."""
    pause = 0.0005
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() >= end:
            return None
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def _first_value(text: bytes) -> Any:
    """A call that returns twice, as fork() does, gives its value twice."""
    try:
        return json.JSONDecoder().raw_decode(text.decode())[0]
    except ValueError:
        return None
