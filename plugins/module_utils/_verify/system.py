# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running host as syscall_info needs it: every touch of the machine goes through `System`.

Nothing is changed: files are only read, /dev/null is the only thing that is written, and the
processes that are started end before the call returns.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import trial
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, kernel_log
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    Answer,
    Isolated,
    SyscallFunction,
    in_child,
    raw_syscall,
)

# linux/time.h; Python has no name for it. The tick's time: never ahead of CLOCK_MONOTONIC, and
# never ahead of what a kernel that stamps with either clock writes later.
CLOCK_MONOTONIC_COARSE = 6
NOBODY = 65534
_KMSG_RECORD = 16384
_KMSG_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_JOURNAL = ("journalctl", "--dmesg", "--boot", "--output=cat", "--no-pager", "--quiet")


class Uname(NamedTuple):
    sysname: str
    release: str
    machine: str


class System:
    """The real host. Tests subclass it."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self.pid = os.getpid()

    def syscall_function(self) -> SyscallFunction:
        return raw_syscall()

    def uname(self) -> Uname:
        """The kernel's own names: what uname(2) says may be changed on its way (oslab-as-linux)."""
        names = os.uname()
        sysname = names.sysname
        with contextlib.suppress(OSError):
            sysname = os.fsdecode(self.read("/proc/sys/kernel/ostype")).rstrip("\n")
        return Uname(sysname, names.release, names.machine)

    def read(self, path: str) -> bytes:
        return bounded_read.content(Path(path))

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def monotonic_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    def coarse_ns(self) -> int:
        return time.clock_gettime_ns(CLOCK_MONOTONIC_COARSE)

    def pause(self, nanoseconds: int) -> None:
        time.sleep(nanoseconds / 1e9)

    def storage_kib(self, path: str) -> dict[str, int]:
        """KiB of the filesystem that holds `path`."""
        stats = os.statvfs(path)
        blocks = {"total": stats.f_blocks, "free": stats.f_bfree, "available": stats.f_bavail}
        return {kind: number * stats.f_frsize // 1024 for kind, number in blocks.items()}

    def process_io(self) -> dict[int, bytes]:
        """/proc/PID/io of every process but this one, as far as it may be read."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.pid:
                with contextlib.suppress(OSError):
                    found[int(entry.name)] = self.read(f"{entry}/io")
        return found

    def isolated(self, function: Callable[[], Any]) -> Isolated:
        return in_child(function)

    def as_nobody(self, function: Callable[[], Answer]) -> Answer:
        """What `function` answers in a process that has given up root."""

        def drop_and_call() -> list[int]:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            return list(function())

        value = in_child(drop_and_call).value
        return Answer(*value) if value else Answer(-1, 0)

    def is_root(self) -> bool:
        return os.geteuid() == 0

    @contextlib.contextmanager
    def stopped_child(self) -> Iterator[int]:
        """A process that did I/O, in an ended thread too, and then stands still."""
        child = os.fork()
        if child == 0:
            try:
                _some_io()
                thread = threading.Thread(target=_some_io)
                thread.start()
                thread.join()
                os.kill(os.getpid(), signal.SIGSTOP)
            finally:
                os._exit(0)
        try:
            os.waitpid(child, os.WUNTRACED)
            yield child
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def workload(self, calls: int) -> None:
        """`calls` of each: open, read, write, fork; nothing else that is counted."""
        zero = -1
        for _call in range(calls):
            if zero >= 0:
                os.close(zero)
            zero = os.open("/dev/zero", os.O_RDWR)
        for _call in range(calls):
            os.read(zero, 1)
        for _call in range(calls):
            os.write(zero, b"x")
        os.close(zero)
        for _call in range(calls):
            child = _fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)

    def threads(self, count: int) -> None:
        """Start and end `count` threads."""
        for _thread in range(count):
            thread = threading.Thread(target=_nothing)
            thread.start()
            thread.join()

    def kernel_log(self) -> list[tuple[str, Callable[[], list[bytes]]]]:
        """Where the kernel's messages may be read, the nearest first."""
        return [("/dev/kmsg", read_kmsg), ("the journal", self._journal)]

    def complaints(self) -> dict[str, Any]:
        """What the kernel has complained of, and what is recorded of the kernel before."""
        return {**kernel_log.gather(), "baseline": kernel_log.recorded_baseline()}

    def clock(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    def boot_time(self) -> int | None:
        """When the kernel was started, in seconds since 1970; None if it does not report that."""
        try:
            text = self.read("/proc/stat")
        except OSError:
            return None
        found = re.search(rb"^btime (\d{1,19})$", text, re.MULTILINE)
        return int(found[1]) if found else None

    def trial(self, release: str, boot: str) -> dict[str, Any]:
        """What is known of the last deployment to this host."""
        return trial.deployment(Path("/"), release, boot)

    def wait_until_up(self, seconds: float) -> None:
        """Wait until systemd has done the boot, in an unconfirmed trial boot."""
        health.wait_until_up(seconds)

    def health(self, wanted: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """What the trial boot has changed, after `seconds` at most; None in any other boot."""
        return health.compare(health.Wanted(wanted["required"], wanted["allowed"], seconds))

    def _journal(self) -> list[bytes]:
        return self._run(_JOURNAL).out_if_ok.encode("utf-8", "surrogateescape").splitlines()


def _fork() -> int:
    """The C library's: since Python 3.12 os.fork() opens and reads /proc/self/stat as well."""
    library = ctypes.PyDLL(None, use_errno=True)  # which keeps the interpreter's lock meanwhile
    child = int(library.fork())
    if child < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return child


def parse_kmsg_record(record: bytes) -> list[bytes]:
    """The text lines of one /dev/kmsg record, its escapes undone."""
    head, _separator, body = record.partition(b";")
    text = body.split(b"\n", 1)[0]  # what follows are ` KEY=value` lines
    literal = _KMSG_ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), text)
    return literal.split(b"\n") if head else []


def read_kmsg(path: str = "/dev/kmsg") -> list[bytes]:
    """All lines that the kernel's ring buffer holds, `dmesg --clear` or not."""
    lines: list[bytes] = []
    # A record with several lines is none of the messages that are looked for. The kernel repeats
    # the names of processes in its messages, which anybody may choose, line breaks included.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                record = os.read(descriptor, _KMSG_RECORD)
            except OSError as error:
                if error.errno == errno.EPIPE:  # overwritten while we read: go on with the next
                    continue
                if error.errno == errno.EAGAIN:
                    return lines
                raise
            if not record:
                return lines
            found = parse_kmsg_record(record)
            if len(found) == 1:
                lines.extend(found)
    finally:
        os.close(descriptor)


def _nothing() -> None:
    return None


def _some_io() -> None:
    """Counted I/O without a trace; a read past the page cache where the filesystem has one."""
    zero = os.open("/dev/zero", os.O_RDWR)
    os.write(zero, os.read(zero, 12345))
    os.close(zero)
    with contextlib.suppress(OSError):
        program = os.open(os.path.realpath("/proc/self/exe"), os.O_RDONLY | os.O_DIRECT)
        os.preadv(program, [mmap.mmap(-1, 4096)], 0)
        os.close(program)
