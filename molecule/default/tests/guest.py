# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside the machine under test: sent there as text, in front of one expression.

Written apart from the collection's module on purpose, so that a mistake in one of them shows.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import json
import mmap
import os
import signal
import struct
import threading
import time
from pathlib import Path
from typing import Any, Callable

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

MANIFEST = json.loads(Path(f"/lib/modules/{os.uname().release}/oslab-kernel.json").read_text())
CAPTURE, TRACK, THROTTLE = (
    MANIFEST["syscalls"][name]
    for name in ("capture_memory_snapshot", "track_syscall_usage", "get_io_throttle")
)
MEMINFO = {
    "total": "MemTotal",
    "free": "MemFree",
    "available": "MemAvailable",
    "buffers": "Buffers",
    "cached": "Cached",
    "shmem": "Shmem",
    "slab": "Slab",
    "active": "Active",
    "inactive": "Inactive",
    "swap_total": "SwapTotal",
    "swap_free": "SwapFree",
}
IO = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes")
# What x86-64 calls them.
READ, WRITE, OPEN, PREAD, READV, WRITEV, FORK, CREAT = 0, 1, 2, 17, 19, 20, 57, 85
OPENAT, CLONE3, OPENAT2 = 257, 435, 437
AT_FDCWD = -100
CLONE_NEWPID = 0x20000000


def call(number: int, *arguments: int) -> Any:
    """What the syscall returns; the name of the errno if it fails."""
    ctypes.set_errno(0)
    result = libc.syscall(*(ctypes.c_long(word) for word in (number, *arguments)))
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result


def words(number: int, size: int, *before: int) -> Any:
    """Call a syscall whose last argument is a struct of 64-bit words."""
    buffer = ctypes.create_string_buffer(b"\xee" * size, size)
    result = call(number, *before, ctypes.addressof(buffer))
    return list(struct.unpack(f"{size // 8}Q", buffer.raw)) if result == 0 else result


def capture() -> Any:
    values = words(CAPTURE, 96)
    return dict(zip((*MEMINFO, "timestamp"), values)) if isinstance(values, list) else values


def throttle(pid: int) -> Any:
    values = words(THROTTLE, 48, pid)
    return dict(zip(IO, values)) if isinstance(values, list) else values


def track() -> dict[str, list[int]]:
    """Name to count and time, in the kernel's order."""
    buffer = ctypes.create_string_buffer(4 * 32)
    assert call(TRACK, ctypes.addressof(buffer), 4) == 4
    return {
        name.rstrip(b"\0").decode(): [count, stamp]
        for name, count, stamp in struct.iter_unpack("16sQQ", buffer.raw)
    }


def keyed(path: str) -> dict[str, int]:
    """Lines of `key: number`."""
    pairs = (line.split(":") for line in Path(path).read_text().splitlines())
    return {key.strip(): int(rest.split()[0]) for key, rest in pairs}


def memory_agrees(drift: int = 512, attempts: int = 20) -> Any:
    """Nothing, or the fields that lay outside of what /proc/meminfo said before and after."""
    wrong: Any = {}
    for _attempt in range(attempts):
        before, snapshot, after = keyed("/proc/meminfo"), capture(), keyed("/proc/meminfo")
        wrong = {}
        for field, key in MEMINFO.items():
            low, high = sorted((before[key], after[key]))
            if not low - drift <= snapshot[field] <= high + drift:
                wrong[field] = [low, snapshot[field], high]
        if snapshot["total"] != before["MemTotal"]:
            wrong["total"] = [before["MemTotal"], snapshot["total"]]
        if not wrong:
            break
    return wrong


def rises(action: Callable[[], Any], times: int = 100, attempts: int = 7) -> dict[str, int]:
    """By how much each counter rises when `action` runs so many times: the quietest attempt.

    Others may add to a count and never take from it, so the least is the nearest.
    """
    least: dict[str, int] = {}
    for _attempt in range(attempts):
        before = track()
        for _time in range(times):
            action()
        after = track()
        for name, (count, _stamp) in after.items():
            rise = count - before[name][0]
            least[name] = min(rise, least.get(name, rise))
        if set(least.values()) <= {0, times}:
            break  # it does not get any quieter
    return least


def path_address(path: str = "/dev/null") -> int:
    """A C string that stays."""
    _KEPT.append(ctypes.create_string_buffer(path.encode()))
    return ctypes.addressof(_KEPT[-1])


_KEPT: list[Any] = []
# Before anything is counted: preparing must not be part of it.
NULL_PATH = path_address()
MISSING_PATH = path_address("/no/such/file")
NEW_FILE = Path(f"/tmp/guest.{os.getpid()}")
NEW_PATH = path_address(str(NEW_FILE))
atexit.register(NEW_FILE.unlink, missing_ok=True)
HOW = ctypes.create_string_buffer(struct.pack("QQQ", os.O_RDONLY, 0, 0), 24)
ZERO = os.open("/dev/zero", os.O_RDWR)
BYTE = ctypes.create_string_buffer(1)
VECTOR = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(BYTE), 1), 16)


def closing(*arguments: int) -> None:
    result = call(*arguments)
    if isinstance(result, int):
        os.close(result)


def do_open() -> None:
    closing(OPEN, NULL_PATH, os.O_RDONLY)


def do_openat() -> None:
    closing(OPENAT, AT_FDCWD, NULL_PATH, os.O_RDONLY)


def do_openat2() -> None:
    closing(OPENAT2, AT_FDCWD, NULL_PATH, ctypes.addressof(HOW), len(HOW))


def do_creat() -> None:
    closing(CREAT, NEW_PATH, 0o600)


def do_open_missing() -> None:
    assert call(OPEN, MISSING_PATH, os.O_RDONLY) == "ENOENT"


def do_read() -> None:
    call(READ, ZERO, ctypes.addressof(BYTE), 1)


def do_read_badly() -> None:
    assert call(READ, -1, ctypes.addressof(BYTE), 1) == "EBADF"


def do_write() -> None:
    call(WRITE, ZERO, ctypes.addressof(BYTE), 1)


def do_pread() -> None:
    call(PREAD, ZERO, ctypes.addressof(BYTE), 1, 0)


def do_readv() -> None:
    call(READV, ZERO, ctypes.addressof(VECTOR), 1)


def do_writev() -> None:
    call(WRITEV, ZERO, ctypes.addressof(VECTOR), 1)


def reap(child: Any) -> None:
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def do_clone() -> None:
    reap(os.fork())  # libc's fork is clone


def do_fork() -> None:
    reap(call(FORK))


def do_clone3() -> None:
    arguments = ctypes.create_string_buffer(64)
    struct.pack_into("Q", arguments, 32, signal.SIGCHLD)
    reap(call(CLONE3, ctypes.addressof(arguments), len(arguments)))


def do_spawn() -> None:
    reap(os.posix_spawn("/bin/true", ["true"], {}))


def do_thread() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def machine_code(code: str) -> Callable[..., int]:
    """A function of three ints made of these bytes."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex(code))
    _KEPT.append(page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * 3)(address)


# mov eax,58 (vfork); syscall; test eax,eax; jnz over; mov eax,60 (exit); xor edi,edi; syscall;
# over: ret. In machine code, because a vfork child must not run on in its parent's frames.
vfork = machine_code("b83a000000 0f05 85c0 7509 b83c000000 31ff 0f05 c3")


def do_vfork() -> None:
    reap(vfork(0, 0, 0))


def entry_of_32_bit(number: int) -> Callable[..., int]:
    """push rbx; mov eax,number; mov ebx,edi; mov ecx,esi; int 0x80; pop rbx; ret."""
    return machine_code(f"53 b8{number:02x}000000 89fb 89f1 cd80 5b c3")


def has_32_bit() -> bool:
    """Without CONFIG_IA32_EMULATION int 0x80 (getpid here) is a fault."""
    child = os.fork()
    if child == 0:
        os._exit(0 if entry_of_32_bit(20)(0, 0, 0) == os.getpid() else 1)
    return os.waitpid(child, 0)[1] == 0


# The same by the 32-bit entry; with nothing to transfer, as addresses here have more than 32 bits.
read_32, write_32, open_32 = entry_of_32_bit(3), entry_of_32_bit(4), entry_of_32_bit(5)
# push rbx; mov eax,2 (fork); int 0x80; test eax,eax; jnz over; mov eax,1 (exit); xor ebx,ebx;
# int 0x80; over: pop rbx; ret
fork_32 = machine_code("53 b802000000 cd80 85c0 7509 b801000000 31db cd80 5b c3")


def do_read_32() -> None:
    read_32(ZERO, 0, 0)


def do_write_32() -> None:
    write_32(ZERO, 0, 0)


def do_open_32() -> None:
    assert open_32(0, 0, 0) == -errno.EFAULT


def do_fork_32() -> None:
    reap(fork_32(0, 0, 0))


def stamps_follow() -> dict[str, bool]:
    """Does each counter's time lie between the clock before its call and after?"""
    follows = {}
    actions = {"open": do_open, "read": do_read, "write": do_write, "fork": do_clone}
    for name, action in actions.items():
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        action()
        stamp = track()[name][1]
        # Half a millisecond for a clock that is read without its lock.
        margin = 500_000
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        follows[name] = before - margin <= stamp <= after + margin
    return follows


def stopped_writer() -> dict[str, Any]:
    """I/O of a process that wrote and read known amounts, a part of it in an ended thread."""

    def work() -> None:
        descriptor = os.open(f"/tmp/guest.{os.getpid()}", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for _time in range(50):
            os.write(descriptor, bytes(1000))
        os.fsync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        for _time in range(50):
            os.read(descriptor, 1000)
        os.close(descriptor)

    start, started = os.pipe()
    child = os.fork()
    if child == 0:
        before = throttle(os.getpid())
        work()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        os.write(started, json.dumps(before).encode())
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    try:
        os.waitpid(child, os.WUNTRACED)
        before = json.loads(os.read(start, 4096))
        told, shown = throttle(child), keyed(f"/proc/{child}/io")
        done = {field: told[field] - before[field] for field in IO}
        return {"told": told, "shown": {field: shown[field] for field in IO}, "done": done}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        Path(f"/tmp/guest.{child}").unlink(missing_ok=True)


def in_child(function: Callable[[], Any]) -> Any:
    """The JSON value that `function` has in a child, which may change its identity."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(function()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    return json.loads(os.read(reader, 65536))


def as_nobody(function: Callable[[], Any]) -> Any:
    def become_and_call() -> Any:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        return function()

    return in_child(become_and_call)


def in_pid_namespace(function: Callable[[], Any]) -> Any:
    def enter_and_call() -> Any:
        assert libc.unshare(CLONE_NEWPID) == 0
        return in_child(function)

    return in_child(enter_and_call)


def dead_pid() -> int:
    child = os.fork()
    reap(child)
    return child


def kernel_log() -> list[str]:
    """The ring buffer by syslog(2), which escapes nothing, without level and time."""
    size = libc.klogctl(10, None, 0) * 4
    buffer = ctypes.create_string_buffer(size)
    length = libc.klogctl(3, buffer, size)
    assert length > 0
    lines = buffer.raw[:length].decode().splitlines()
    return [line.split("] ", 1)[1] if "] " in line else line for line in lines]
