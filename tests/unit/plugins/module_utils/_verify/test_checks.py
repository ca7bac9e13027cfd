# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check passes on a right kernel, and fails on one with the fault that it looks for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import (
    PROC_ENTRIES,
    ProcEntry,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import MEMINFO_KEYS
from ansible_collections.oslab.kernel.tests.lib.fake_kernel import CHILD, MANIFEST, FakeKernel, ask


def test_a_right_kernel_passes_every_check() -> None:
    result = ask(FakeKernel())
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["reason"] == ""
    assert all(check["ok"] for check in result["checks"])
    names = [check["name"] for check in result["checks"]]
    assert len(names) == len(set(names)), "two checks of one name"


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


class Booting(FakeKernel):
    """Short programs, of which nothing is left when the processes are listed."""

    def __init__(self, *arguments: Any, burst: int, windows: int = 99) -> None:
        super().__init__(*arguments)
        self.burst, self.windows = burst, windows

    def workload(self, calls: int) -> None:
        super().workload(calls)
        self.windows -= 1
        if self.windows >= 0:
            for name in ("open", "read", "write"):
                self.counts[name] += self.burst


def test_programs_that_end_meanwhile_are_allowed_for() -> None:
    assert ask(Booting(burst=28), workload=100)["failed_checks"] == []
    # A kernel that counts twice is noticed all the same.
    failed = ask(Booting("open twice", burst=28), workload=100)["failed_checks"]
    assert failed == [f"{abi.TRACK} open counted"]


def test_a_burst_that_is_over_soon_spoils_nothing() -> None:
    assert ask(Booting(burst=500, windows=4), workload=100)["failed_checks"] == []
    assert ask(Booting(burst=500), workload=100)["failed_checks"] != []


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


def test_calls_that_the_caller_expects_something_of() -> None:
    good = {"name": abi.TRACK, "arguments": [0, 1], "error": "EINVAL"}
    wrong = {"name": abi.TRACK, "arguments": [0, 1], "returns": 4}
    unknown = {"name": "add_three", "arguments": [1, 2, 3], "returns": 6}
    result = ask(FakeKernel(), expected={"calls": [good, wrong, unknown]})
    rows = [row for row in result["checks"] if row["detail"] == "verify_calls"]
    assert [(row["name"], row["ok"], row["actual"]) for row in rows] == [
        (f"{abi.TRACK}(0, 1)", True, "EINVAL"),
        (f"{abi.TRACK}(0, 1)", False, "EINVAL"),
        ("add_three(1, 2, 3)", False, "no syscall add_three"),
    ]
