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

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import (
    PROC_ENTRIES,
    ProcEntry,
)
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
                f"processes {self.tasks}\n"
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
    )
    result = gather(options._replace(**changes), kernel)
    json.dumps(result)  # Ansible has to
    return result


def test_a_right_kernel_passes_every_check() -> None:
    result = ask(FakeKernel())
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["reason"] == ""
    assert all(check["ok"] for check in result["checks"])
    names = [check["name"] for check in result["checks"]]
    assert len(names) == len(set(names)), "two checks of one name"


def test_values_are_typed_and_complete() -> None:
    result = ask(FakeKernel(), pid=1)
    syscalls = result["syscalls"]
    memory = syscalls[abi.CAPTURE]["result"]
    assert list(memory) == list(abi.MEMORY_FIELDS)
    assert memory["total_kb"] == 1_000_000
    assert syscalls[abi.TRACK]["returned"] == 4
    assert [entry["name"] for entry in syscalls[abi.TRACK]["result"]] == list(abi.COUNTED)
    assert syscalls[abi.THROTTLE]["result"] == {
        **{field: 1 + i for i, field in enumerate(abi.IO_FIELDS)},
        "pid": 1,
    }
    assert {state["number"] for state in syscalls.values()} == {462, 463, 464}
    assert all(state["errno"] == 0 and state["errno_name"] is None for state in syscalls.values())
    assert result["release"] == RELEASE
    assert result["boot_id"] == "b007"


MEMORY_FAULTS = [(f"memory {field}", f"{abi.CAPTURE} {field}") for field in MEMINFO_KEYS]
IO_FAULTS = [(f"io {field}", f"{abi.THROTTLE} stopped child {field}") for field in abi.IO_FIELDS]
COUNT_FAULTS = [
    (f"{name} {how}", f"{abi.TRACK} {name} counted")
    for name in abi.COUNTED
    for how in ("twice", "missed")
]


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        *MEMORY_FAULTS,
        *IO_FAULTS,
        *COUNT_FAULTS,
        ("memory total by one", f"{abi.CAPTURE} total_kb"),
        ("memory time", f"{abi.CAPTURE} timestamp_ns"),
        ("stale time", f"{abi.TRACK} read last_timestamp_ns"),
        ("order", f"{abi.TRACK} names"),
        ("leak", f"{abi.TRACK} names zero-padded"),
        ("one too many", f"{abi.TRACK} writes no more"),
        ("threads are forks", f"{abi.TRACK} threads are no forks"),
        ("size accepted", f"{abi.TRACK} size 3"),
        ("null accepted", f"{abi.CAPTURE} null"),
        ("null accepted", f"{abi.TRACK} null"),
        ("null accepted", f"{abi.THROTTLE} null"),
        ("any pid", f"{abi.THROTTLE} pid 0"),
        ("any pid", f"{abi.THROTTLE} pid -1"),
        ("dead pid", f"{abi.THROTTLE} free pid"),
        ("no permission check", f"{abi.THROTTLE} of root's process as nobody"),
        ("shown memory", "/proc/capture_mem slab_kb"),
        ("shown field missing", "/proc/capture_mem cached_kb"),
        ("shown count", "/proc/track_syscalls fork count"),
        ("shown io", "/proc/io_throttle wchar"),
        ("shown cpu", "/proc/system_stats cpu_idle_ms"),
        ("shown storage", "/proc/system_stats storage_total_kb"),
        ("capture_mem gone", "/proc/capture_mem present"),
    ],
)
def test_a_fault_fails_its_check(fault: str, failed: str) -> None:
    assert failed in ask(FakeKernel(fault))["failed_checks"]


@pytest.mark.parametrize(("fault", "failed"), [*COUNT_FAULTS, *MEMORY_FAULTS[3:7]])
def test_a_fault_fails_no_other_syscall(fault: str, failed: str) -> None:
    kernel = FakeKernel(fault)
    kernel.entries = []
    assert ask(kernel)["failed_checks"] == [failed]


def test_another_sysname_release_and_build_fail() -> None:
    kernel = FakeKernel()
    kernel.manifest = dict(MANIFEST, sysname="Linux", release="6.8.1")
    assert ask(kernel, expected={"build_id": "ffff"})["failed_checks"] == [
        "release (uname -r)",
        "sysname (uname -s)",
        "build id",
    ]


def test_the_first_digits_of_a_build_id_are_enough() -> None:
    assert ask(FakeKernel(), expected={"build_id": "0123"})["failed_checks"] == []
    assert ask(FakeKernel(), expected={"build_id": "0124"})["failed_checks"] == ["build id"]


def test_expected_wins_over_the_manifest_and_empty_does_not() -> None:
    assert ask(FakeKernel(), expected={"sysname": "", "release": None})["failed_checks"] == []
    result = ask(FakeKernel(), expected={"sysname": "Linux"})
    assert result["failed_checks"] == ["sysname (uname -s)"]


def test_a_kernel_with_the_stock_name_no_message_and_no_modules_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = FakeKernel()
    kernel.manifest = dict(MANIFEST, sysname="Linux", banner="")
    kernel.entries = []
    name = kernel.uname()._replace(sysname="Linux")
    monkeypatch.setattr(kernel, "uname", lambda: name)
    result = ask(kernel, expected={"sysname": "Linux", "banner": "", "proc_entries": []})
    assert result["failed_checks"] == []
    names = [check["name"] for check in result["checks"]]
    assert "sysname (uname -s)" in names
    assert not [name for name in names if name == "boot message" or name.startswith("/proc/")]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (0, "not one after the other"),  # the same text stands below
        (1, '`* ¡A programar! 🚀  100% \\ "*"` is not in it'),
    ],
)
def test_a_changed_boot_message_fails(line: int, detail: str) -> None:
    kernel = FakeKernel()
    kernel.log[2 + line] += b" "
    result = ask(kernel)
    assert result["failed_checks"] == ["boot message"]
    (check,) = [check for check in result["checks"] if check["name"] == "boot message"]
    assert detail in check["detail"]


def test_a_boot_message_that_nobody_can_know_is_unknown() -> None:
    kernel = FakeKernel()
    kernel.log = [b"much later"]
    result = ask(kernel)
    assert result["failed_checks"] == []
    (check,) = [check for check in result["checks"] if check["name"] == "boot message"]
    assert check["ok"] is None
    assert check["actual"] == "unknown"


def test_a_required_entry_that_is_missing_fails() -> None:
    kernel = FakeKernel()
    kernel.entries = []
    assert ask(kernel)["failed_checks"] == []
    result = ask(kernel, expected={"proc_entries": ["io_throttle"]})
    assert result["failed_checks"] == ["/proc/io_throttle present"]


def test_only_the_presence_of_an_entry_without_a_comparison_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PROC_ENTRIES, "mine", ProcEntry("mine_mod"))
    result = ask(FakeKernel())
    rows = [check for check in result["checks"] if check["name"].startswith("/proc/mine")]
    assert [(row["name"], row["ok"]) for row in rows] == [("/proc/mine present", True)]
    assert ask(FakeKernel("mine gone"))["failed_checks"] == ["/proc/mine present"]


@pytest.mark.parametrize("shown_pid", [0, 1, CHILD])
def test_io_throttle_shows_its_process(shown_pid: int) -> None:
    kernel = FakeKernel()
    kernel.shown_pid = shown_pid
    assert ask(kernel)["failed_checks"] == []


def test_io_throttle_set_to_a_thread_that_ended_shows_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = FakeKernel()
    kernel.shown_pid = 999  # nobody has this id any more
    monkeypatch.setattr(kernel, "_show_io", lambda: f"pid: {CHILD}\n" + kernel._io_text(CHILD))
    result = ask(kernel)
    assert result["failed_checks"] == []
    (check,) = [check for check in result["checks"] if check["name"] == "/proc/io_throttle wchar"]
    assert check["detail"] == f"process {CHILD}"


def test_io_throttle_of_a_dead_process_is_refused_by_both() -> None:
    kernel = FakeKernel()
    kernel.shown_pid = 999
    result = ask(kernel)
    assert result["failed_checks"] == []
    (check,) = [check for check in result["checks"] if "io_throttle refuses" in check["name"]]
    assert (check["expected"], check["actual"]) == ("ESRCH", "ESRCH")


def test_a_pid_without_a_process_expects_esrch() -> None:
    result = ask(FakeKernel(), pid=999)
    assert result["failed_checks"] == []
    assert result["syscalls"][abi.THROTTLE]["errno_name"] == "ESRCH"
    assert result["syscalls"][abi.THROTTLE]["result"] is None
    assert f"{abi.THROTTLE} pid 999" in ask(FakeKernel("dead pid"), pid=999)["failed_checks"]


def test_a_kernel_without_manifest_is_unsupported() -> None:
    kernel = FakeKernel("enosys")
    kernel.manifest, kernel.entries = None, []
    result = ask(kernel)
    assert result["supported"] is False
    assert result["reason"] == f"no manifest at {MANIFEST_PATH}"
    assert result["checks"] == []
    assert result["syscalls"] == {}


def test_a_manifest_on_a_kernel_without_the_syscalls_fails() -> None:
    kernel = FakeKernel("enosys")
    kernel.entries = []
    result = ask(kernel)
    assert result["supported"] is False
    assert "462 (ENOSYS)" in result["reason"]
    assert result["failed_checks"] == [f"{name} answers" for name in sorted(abi.SYSCALL_NAMES)]
    assert result["syscalls"][abi.TRACK]["errno_name"] == "ENOSYS"


def test_numbers_of_other_syscalls_are_unsupported() -> None:
    kernel = FakeKernel()
    kernel.manifest = None
    # capture_memory_snapshot behind the number of another: it answers, but not as that should.
    result = ask(kernel, numbers={abi.TRACK: 462, abi.THROTTLE: 463}, compare=False)
    assert result["supported"] is False
    assert "462 answers 0: another syscall" in result["reason"]
    assert "463 answers EFAULT: another syscall" in result["reason"]


def test_a_number_that_kills_is_unsupported() -> None:
    kernel = FakeKernel("killed")
    kernel.entries = []
    result = ask(kernel)
    assert result["supported"] is False
    assert "ended the process that called it (SIGILL)" in result["reason"]


def with_own(number: Any = 465, **more: Any) -> FakeKernel:
    """A kernel whose manifest has a syscall of the user's besides the three."""
    kernel = FakeKernel()
    kernel.manifest = {**MANIFEST, "syscalls": {**MANIFEST["syscalls"], "mine": number}, **more}  # type: ignore[dict-item]
    return kernel


def check_of(result: dict[str, Any], name: str) -> dict[str, Any]:
    (check,) = [check for check in result["checks"] if check["name"] == name]
    return dict(check)


@pytest.mark.parametrize("answer", [abi.Answer(0, 0), abi.Answer(-1, errno.EFAULT)])
def test_a_syscall_of_the_user_has_to_be_there(answer: abi.Answer) -> None:
    kernel = with_own()
    seen = []

    def call(number: int, *words: int) -> abi.Answer:
        if number == 465:
            seen.append(words)
            return answer
        return FakeKernel._call(kernel, number, *words)

    kernel.syscall_function = lambda: call  # type: ignore[method-assign]
    result = ask(kernel)
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["syscalls"]["mine"]["errno"] == answer.errno
    assert check_of(result, "mine answers")["ok"] is True
    assert seen == [()], "called once, and with nothing, which raw_syscall makes zeros of"


def test_a_syscall_of_the_user_that_is_not_there_fails() -> None:
    result = ask(with_own())
    assert result["supported"] is False
    assert result["failed_checks"] == ["mine answers"]
    assert "no syscall 465 (ENOSYS)" in check_of(result, "mine answers")["detail"]


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (abi.Isolated(None, None, late=True), "did not return within 30 seconds"),
        (abi.Isolated(None, "SIGSEGV"), "ended the process that called it (SIGSEGV)"),
    ],
)
def test_a_syscall_of_the_user_that_does_not_return_fails(
    ended: abi.Isolated, message: str
) -> None:
    kernel = with_own()
    calls: list[None] = []

    def isolated(function: Callable[[], Any]) -> abi.Isolated:
        calls.append(None)
        return ended if len(calls) == 3 else FakeKernel.isolated(kernel, function)

    kernel.isolated = isolated  # type: ignore[method-assign]
    result = ask(kernel)  # by name, it is the third
    assert result["failed_checks"] == ["mine answers"]
    assert message in check_of(result, "mine answers")["detail"]


def test_a_syscall_that_must_not_be_called_is_not() -> None:
    kernel = with_own(not_called=["mine", abi.CAPTURE])
    result = ask(kernel)
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["syscalls"]["mine"]["returned"] is None
    check = check_of(result, "mine answers")
    assert (check["ok"], check["actual"]) == (None, "not called")
    assert "verify_call" in check["detail"]
    # What is known is harmless, whatever a manifest says.
    assert result["syscalls"][abi.CAPTURE]["supported"] is True


def test_a_number_that_is_never_called_is_told() -> None:
    result = ask(with_own(335))
    assert result["failed_checks"] == []
    assert check_of(result, "mine answers")["ok"] is None
    assert ask(with_own("x"))["failed_checks"] == ["mine answers"]


def test_numbers_out_of_range() -> None:
    with pytest.raises(abi.AbiError, match=r"numbers\.get_io_throttle is 62; only 337 to 511"):
        ask(FakeKernel(), numbers={abi.THROTTLE: 62})
    kernel = FakeKernel()
    kernel.manifest = dict(MANIFEST, syscalls={abi.CAPTURE: 62})
    result = ask(kernel)
    assert result["supported"] is False
    assert "only 337 to 511 are called" in result["reason"]
    assert result["failed_checks"][0] == f"{abi.CAPTURE} answers"


def test_a_broken_manifest_is_an_error() -> None:
    kernel = FakeKernel()
    kernel.manifest = "{"
    with pytest.raises(abi.AbiError, match="is not JSON"):
        ask(kernel)


def test_without_comparing_there_are_no_checks() -> None:
    result = ask(FakeKernel(), compare=False, proc_entries=False)
    assert result["checks"] == []
    assert result["proc_entries"] == {}
    assert result["supported"] is True


def test_other_processes_are_allowed_for() -> None:
    class Busy(FakeKernel):
        def workload(self, calls: int) -> None:
            super().workload(calls)
            self.io[1]["syscr"] += 300
            self.counts["read"] += 300
            self.tasks += 5
            self.counts["fork"] += 5

        def pause(self, nanoseconds: int) -> None:
            super().pause(nanoseconds)
            self.counts["open"] += 100

    assert ask(Busy())["failed_checks"] == []
    assert ask(Busy("read twice"))["failed_checks"] == [f"{abi.TRACK} read counted"]
    assert ask(Busy("fork twice"))["failed_checks"] == [f"{abi.TRACK} fork counted"]


def test_a_moment_of_bad_luck_is_tried_again() -> None:
    class Restless(FakeKernel):
        def _meminfo(self) -> str:
            self.tick += 1
            if self.tick % 6 == 1:
                self.memory["cached_kb"] += 100_000
                text = super()._meminfo()
                self.memory["cached_kb"] -= 100_000
                return text
            return super()._meminfo()

    assert ask(Restless())["failed_checks"] == []
