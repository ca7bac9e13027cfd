# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""syscall_info on a kernel of a few lines, whole and with one fault at a time.

Only `System` is replaced, so the calls go through the structs, byte by byte, as on a real host.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import PROC_ENTRIES
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import (
    CPU_TIMES,
    MEMINFO_KEYS,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.system import System, Uname
from ansible_collections.oslab.kernel.plugins.module_utils._verify.verification import (
    Options,
    gather,
)

RELEASE = "6.8.0-49-usac1"
MANIFEST_PATH = f"/lib/modules/{RELEASE}/oslab-kernel.json"
BANNER = '****\n* ¡A programar! 🚀  100% \\ "*"\n****\n'
MANIFEST = {
    "release": RELEASE,
    "sysname": "Usac Linux - 202010856",
    "banner": BANNER,
    "build_id": "0123abcd",
    "syscalls": {abi.CAPTURE: 462, abi.TRACK: 463, abi.THROTTLE: 464},
}
BOOT_TIME = 1_700_000_000
OWN, CHILD, PID_MAX = 4321, 4400, 32768


class FakeKernel(System):
    """A kernel that keeps time, memory, counters and I/O; `faults` name what it gets wrong."""

    def __init__(self, *faults: str) -> None:
        super().__init__(lambda command: Result(1))
        self.faults = set(faults)
        self.pid = OWN
        self.now = 5_000_000_000
        self.memory = {field: 1_000_000 + 1000 * i for i, field in enumerate(MEMINFO_KEYS)}
        self.counts = dict.fromkeys(abi.COUNTED, 1000)
        self.stamps = dict.fromkeys(abi.COUNTED, self.now)
        self.tasks = 500
        self.io = {
            pid: {field: pid + i for i, field in enumerate(abi.IO_FIELDS)}
            for pid in (1, OWN, CHILD)
        }
        self.manifest: Any = MANIFEST
        self.log = [b"[early]", b"Linux version 6.8", *BANNER.encode().splitlines(), b"Command"]
        self.nobody = False
        self.entries = list(PROC_ENTRIES)
        self.shown_pid = 1
        self.tick = 0

    # The syscalls.

    def syscall_function(self) -> abi.SyscallFunction:
        return self._call

    def _call(self, number: int, *words: int) -> abi.Answer:
        self.now += 1000
        served: dict[int, Callable[..., int]] = {
            462: self._capture,
            463: self._track,
            464: self._throttle,
        }
        if "enosys" in self.faults or number not in served:
            return abi.Answer(-1, errno.ENOSYS)
        failure = served[number](*words)
        return abi.Answer(-1, -failure) if failure < 0 else abi.Answer(failure, 0)

    def _copy(self, address: int, struct: ctypes.Structure) -> int:
        if address < 65536:
            return 0 if "null accepted" in self.faults else -errno.EFAULT
        ctypes.memmove(address, ctypes.addressof(struct), ctypes.sizeof(struct))
        return 0

    def snapshot(self) -> dict[str, int]:
        values = dict(self.memory, timestamp_ns=self.now)
        for field in self.memory:
            if f"memory {field}" in self.faults:
                values[field] += 1024
        if "memory total by one" in self.faults:
            values["total_kb"] += 1
        if "memory time" in self.faults:
            values["timestamp_ns"] -= 10**9
        return values

    def _capture(self, address: int, *_words: int) -> int:
        return self._copy(address, abi.MemSnapshot(**self.snapshot()))

    def _track(self, address: int, size: int, *_words: int) -> int:
        if size < len(abi.COUNTED) and "size accepted" not in self.faults:
            return -errno.EINVAL
        names = list(abi.COUNTED)
        if "order" in self.faults:
            names.reverse()
        for i, name in enumerate(names):
            stamp = self.stamps[name] - (10**10 if "stale time" in self.faults else 0)
            entry = abi.SyscallUsageUser(name.encode(), self.counts[name], max(0, stamp))
            if "leak" in self.faults:
                ctypes.memmove(ctypes.addressof(entry) + 10, b"leaked", 6)
            failure = self._copy(address + 32 * i if address else 0, entry)
            if failure:
                return failure
        if "one too many" in self.faults and address and size > len(names):
            self._copy(address + 32 * len(names), abi.SyscallUsageUser())
        return len(names)

    def _throttle(self, pid: int, address: int, *_words: int) -> int:
        pid = ctypes.c_int(pid).value
        if pid <= 0 and "any pid" not in self.faults:
            return -errno.EINVAL
        if pid not in self.io:
            return -errno.ESRCH if "dead pid" not in self.faults else 0
        if self.nobody and "no permission check" not in self.faults:
            return -errno.EPERM
        values = dict(self.io[pid])
        for field in values:
            if f"io {field}" in self.faults:
                values[field] -= 1
        return self._copy(address, abi.IoStatsUser(**values))

    # The system around them.

    def uname(self) -> Uname:
        return Uname("Usac Linux - 202010856", RELEASE, "x86_64")

    def exists(self, path: str) -> bool:
        name = path.rsplit("/", 1)[1]
        if path.startswith("/sys/module/"):
            return name in [PROC_ENTRIES[entry].module for entry in self.entries]
        return name in self.entries and f"{name} gone" not in self.faults

    def read(self, path: str) -> bytes:
        self.now += 1000
        return self._file(path).encode()

    def _file(self, path: str) -> str:
        if path == MANIFEST_PATH and self.manifest is not None:
            return self.manifest if isinstance(self.manifest, str) else json.dumps(self.manifest)
        files: dict[str, Callable[[], str]] = {
            "/proc/meminfo": self._meminfo,
            "/proc/stat": lambda: (
                f"cpu  {' '.join(str(100 + i) for i in range(10))}\ncpu0 1\ncpu1 1\n"
                f"btime {BOOT_TIME}\nprocesses {self.tasks}\n"
            ),
            "/proc/sys/kernel/random/boot_id": lambda: "b007\n",
            "/proc/sys/kernel/pid_max": lambda: f"{PID_MAX}\n",
            "/sys/module/io_throttle_mod/parameters/pid": lambda: f"{self.shown_pid}\n",
            "/sys/module/system_stats/parameters/path": lambda: "/srv\n",
            "/proc/capture_mem": self._show_memory,
            "/proc/track_syscalls": self._show_usage,
            "/proc/io_throttle": self._show_io,
            "/proc/system_stats": self._show_stats,
            **{f"/proc/{pid}/io": partial(self._io_text, pid) for pid in self.io},
        }
        if path not in files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return files[path]()

    def _meminfo(self) -> str:
        self.memory["free_kb"] += 4  # it moves, and not only within the drift
        lines = [f"{key}: {self.memory[field]:8} kB" for field, key in MEMINFO_KEYS.items()]
        return "\n".join([*lines, "Active(anon): 1 kB"])

    def _io_text(self, pid: int) -> str:
        text = "".join(f"{field}: {value}\n" for field, value in self.io[pid].items())
        if pid == OWN:
            self.io[pid]["rchar"] += len(text)
            self.io[pid]["syscr"] += 1
        return text

    def _show_memory(self) -> str:
        values = dict(self.snapshot())
        if "shown memory" in self.faults:
            values["slab_kb"] += 1024
        if "shown field missing" in self.faults:
            del values["cached_kb"]
        return "".join(f"{key}: {value}\n" for key, value in values.items())

    def _show_usage(self) -> str:
        off = 1 if "shown count" in self.faults else 0
        return "".join(
            f"{name}: count={self.counts[name] - off} last_timestamp_ns={self.stamps[name]}\n"
            for name in abi.COUNTED
        )

    def _show_io(self) -> str:
        if self.shown_pid not in (0, *self.io):
            raise ProcessLookupError(errno.ESRCH, "No such process")
        text = self._io_text(self.shown_pid or OWN)
        return text.replace("wchar: ", "wchar: 9") if "shown io" in self.faults else text

    def _show_stats(self) -> str:
        off = 500 if "shown cpu" in self.faults else 3
        lines = ["cpus_online: 2"]
        lines += [f"cpu_{kind}_ms: {(100 + i) * 10 + off}" for i, kind in enumerate(CPU_TIMES)]
        lines += [
            f"mem_total_kb: {self.memory['total_kb']}",
            f"mem_free_kb: {self.memory['free_kb']}",
            "storage_path: /srv",
            f"storage_total_kb: {1000 if 'shown storage' not in self.faults else 1001}",
            "storage_free_kb: 500",
            "storage_available_kb: 400",
        ]
        return "\n".join(lines)

    def clock(self) -> int:
        return BOOT_TIME + 600

    def trial(self, release: str, boot: str) -> dict[str, Any]:
        return {"state": "confirmed", "downtime": 31, "confirmed_time": BOOT_TIME + 90}

    def wait_until_up(self, seconds: float) -> None:
        pass

    def storage_kib(self, path: str) -> dict[str, int]:
        assert path == "/srv"
        return {"total": 1000, "free": 500, "available": 400}

    def monotonic_ns(self) -> int:
        self.now += 10
        return self.now

    def coarse_ns(self) -> int:
        return self.now - self.now % 4_000_000

    def pause(self, nanoseconds: int) -> None:
        self.now += nanoseconds

    def process_io(self) -> dict[int, bytes]:
        return {pid: self._io_text(pid).encode() for pid in (1, CHILD)}

    def isolated(self, function: Callable[[], Any]) -> abi.Isolated:
        if "killed" in self.faults:
            return abi.Isolated(None, "SIGILL")
        return abi.Isolated(json.loads(json.dumps(function())), None)

    def is_root(self) -> bool:
        return True

    def as_nobody(self, function: Callable[[], abi.Answer]) -> abi.Answer:
        self.nobody = True
        answer = function()
        self.nobody = False
        return answer

    @contextlib.contextmanager
    def stopped_child(self) -> Iterator[int]:
        yield CHILD

    def _count(self, name: str, calls: int) -> None:
        self.now += 1000
        if f"{name} twice" in self.faults:
            calls *= 2
        if f"{name} missed" in self.faults:
            calls -= 1
        self.counts[name] += calls
        self.stamps[name] = self.now

    def workload(self, calls: int) -> None:
        for name in abi.COUNTED:
            self._count(name, calls)
        self.tasks += calls

    def threads(self, count: int) -> None:
        self.tasks += count
        if "threads are forks" in self.faults:
            self._count("fork", count)

    def complaints(self) -> dict[str, Any]:
        return {"complaints": [], "baseline": None}

    def kernel_log(self) -> list[tuple[str, Callable[[], list[bytes]]]]:
        return [("/dev/kmsg", lambda: self.log), ("the journal", lambda: [])]


def ask(kernel: FakeKernel, **changes: Any) -> dict[str, Any]:
    options = Options(
        manifest=None,
        numbers={},
        pid=None,
        expected={},
        workload=200,
        compare=True,
        proc_entries=True,
        boot_timeout=0,
        kernel_log=False,
        health=None,
    )
    result = gather(options._replace(**changes), kernel)
    json.dumps(result)  # Ansible has to
    return result
