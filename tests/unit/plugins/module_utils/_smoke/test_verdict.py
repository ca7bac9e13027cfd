# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault of a kernel fails its smoke test, and is named."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import steps, verdict
from ansible_collections.oslab.kernel.tests.lib import smoke_line

PANIC = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
OOPS = "BUG: kernel NULL pointer dereference, address: 0000000000000008"
WARN = "WARNING: CPU: 1 PID: 103 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
PLANNED = steps.plan(smoke_line.contents())


def problems(
    serial: str = "", *, exited: int | None = 0, allowed: Any = (), **line: Any
) -> list[str]:
    boot = qemu.Boot(False, exited, serial or smoke_line.line(PLANNED, **line), "")
    return verdict.problems(verdict.Test(PLANNED, boot, smoke_line.MANIFEST, allowed, seconds=90.0))


def test_a_kernel_without_a_fault_has_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # A syscall
        (
            {"outputs": {"mine": "-1 38"}},
            "calling the syscall mine (number 465) fails: there is no such syscall (ENOSYS)",
        ),
        (
            {
                "outputs": {
                    "capture_memory_snapshot": "there is no syscall of number 462 (ENOSYS)"
                },
                "ends": {"capture_memory_snapshot": "exit 3"},
            },
            "calling the syscall capture_memory_snapshot (number 462) fails: there is no syscall "
            "of number 462 (ENOSYS)",
        ),
        (
            {"ends": {"mine": "signal 11"}},
            "calling the syscall mine (number 465) ends the process (signal 11, Segmentation "
            "fault)",
        ),
        (
            {"ends": {"mine": "late 0"}},
            "calling the syscall mine (number 465) does not end within its time",
        ),
        # A module
        (
            {
                "outputs": {"module other": "/modules/other.ko: Exec format error (ENOEXEC)"},
                "ends": {"module other": "exit 1"},
            },
            "loading the module other fails: /modules/other.ko: Exec format error (ENOEXEC)",
        ),
        (
            {"outputs": {"/proc/capture_mem": ""}},
            "reading /proc/capture_mem fails: it is empty",
        ),
        # The log
        (
            {"kernel": {"module other": [WARN]}},
            f"the kernel reports while loading the module other: {WARN}",
        ),
        (
            {"outputs": {"tainted": "512"}},
            "the kernel reports: the kernel is tainted: W, the kernel gave a warning",
        ),
        # What it is called
        (
            {"outputs": {"sysname": "Linux"}},
            "sysname: expected Usac Linux - 202010856, read Linux",
        ),
    ],
)
def test_a_fault_is_named(line: dict[str, Any], expected: str) -> None:
    assert problems(**line) == [expected]


@pytest.mark.parametrize(
    ("key", "output", "expected"),
    [
        (
            "capture_memory_snapshot",
            '{"total_kb": 7}',
            "capture_memory_snapshot total_kb: expected",
        ),
        ("get_io_throttle", '{"rchar": 6}', "get_io_throttle rchar: expected 7, read 6"),
        ("track_syscall_usage", '{"open": {"count": 0}}', "track_syscall_usage open counted"),
    ],
)
def test_a_wrong_answer_is_named(key: str, output: str, expected: str) -> None:
    assert any(expected in one for one in problems(outputs={key: output}))


def test_a_missing_boot_message_is_named() -> None:
    serial = smoke_line.line(PLANNED).replace("Bienvenido", "Adiós")
    (found,) = problems(serial)
    assert found.startswith("boot message: expected 3 lines, read 1 lines")


@pytest.mark.parametrize(
    ("line", "exited", "expected"),
    [
        ({"kernel": {"module other": [PANIC]}}, 0, PANIC),
        # What came first is the cause.
        ({"kernel": {"module other": [OOPS, PANIC]}}, 0, OOPS),
        ({"kernel": {"module other": ["odd"]}}, 0, "the machine ended without a message; the last"),
        (
            {"kernel": {"module other": ["odd"]}},
            None,
            "within 90 seconds; the last that it printed",
        ),
    ],
)
def test_a_kernel_that_stops_says_at_which_step(
    line: dict[str, Any], exited: int | None, expected: str
) -> None:
    first = problems(stop_at="module other", exited=exited, **line)[0]
    assert first.startswith("the kernel stops while loading the module other")
    assert expected in first


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        (smoke_line.messages("Linux version 6.8", PANIC), f"its first program: {PANIC}"),
        (" ", "its first program, and the machine ended without a message; it printed nothing"),
    ],
)
def test_a_kernel_that_stops_early(serial: str, expected: str) -> None:
    (found,) = problems(serial)
    assert found.startswith("the kernel does not reach")
    assert found.endswith(expected)


def test_what_is_allowed_or_harmless_fails_nothing() -> None:
    allowed = [{"pattern": "lib/refcount", "reason": "known"}]
    assert problems(kernel={"module other": [WARN]}, allowed=allowed) == []
    refused = {"module other": "/modules/other.ko: No such device (ENODEV)"}
    assert problems(outputs=refused, ends={"module other": "exit 1"}) == []
    # What it registers is taken. Of a module that the kernel has, nothing is said.
    refused = {"module other": "/modules/other.ko: File exists (EEXIST)"}
    [found] = problems(outputs=refused, ends={"module other": "exit 1"})
    assert found.endswith("fails: /modules/other.ko: File exists (EEXIST)")


def test_a_module_that_is_not_loaded_is_named_once() -> None:
    gone = {"module capture_mem_mod": "x (ENOEXEC)", "/proc/capture_mem": "y (ENOENT)"}
    ends = dict.fromkeys(gone, "exit 1")
    assert problems(outputs=gone, ends=ends) == [
        "loading the module capture_mem_mod fails: x (ENOEXEC)"
    ]


# --- lines that are missing ---------------------------------------------------------------------


def without(*parts: str) -> str:
    """The line of a kernel without a fault, without the lines that have one of these."""
    lines = smoke_line.line(PLANNED).splitlines(keepends=True)
    return "".join(one for one in lines if not any(part in one for part in parts))


def number_of(key: str) -> int:
    return next(number for number, step in enumerate(PLANNED) if step.key == key)


def test_no_step_passes_because_nothing_is_known_of_it() -> None:
    found = problems(smoke_line.messages("oslab-smoke: done"))
    said = "the serial line does not say what came of it"
    assert f"calling the syscall mine (number 465): {said}" in found
    assert f"loading the module other: {said}" in found
    # Nor one by which the others are judged.
    assert f"reading /proc/sys/kernel/tainted: {said}" in found
    assert len(problems(without("oslab-smoke: end "))) >= len(found)


@pytest.mark.parametrize("line", ["begin", "end"])
def test_a_step_of_which_a_line_is_missing_is_named(line: str) -> None:
    assert problems(
        without(f"oslab-smoke: {line} {number_of('mine')}\r", f"{line} {number_of('mine')} ")
    ) == ["calling the syscall mine (number 465): the serial line does not say what came of it"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("mine", "calling the syscall mine (number 465) fails: it prints no answer"),
        (
            "capture_memory_snapshot",
            "calling the syscall capture_memory_snapshot (number 462) fails: it prints no figures",
        ),
    ],
)
def test_an_answer_that_is_missing_is_named(key: str, expected: str) -> None:
    assert problems(without(f"oslab-smoke: out {number_of(key)} ")) == [expected]


def test_messages_that_were_not_sent_fail_the_test() -> None:
    serial = smoke_line.line(PLANNED).replace("\r\n", "\r\n** 7 printk messages dropped **\r\n", 2)
    assert problems(serial) == [
        "the kernel prints more than the serial line can take: 14 messages are lost, and with them "
        "what they report"
    ]
