# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparisons, without a kernel."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare, syscalls


def test_equal() -> None:
    assert compare.equal("x", 1, 1) == compare.Check("x", True, 1, 1)
    assert compare.equal("x", 1, 2, "why") == compare.Check("x", False, 1, 2, None, "why")


@pytest.mark.parametrize(
    ("actual", "drift", "ok"),
    [(9, 0, False), (10, 0, True), (20, 0, True), (21, 0, False), (9, 1, True), (22, 1, False)],
)
def test_within(actual: int, drift: int, ok: bool) -> None:
    check = compare.within("x", 20, actual, 10, drift, "KiB")
    assert (check.ok, check.expected, check.actual) == (ok, "10..20", actual)
    assert check.tolerance == ("1 KiB" if drift else None)


def test_numbers_and_keys_of_proc() -> None:
    assert compare.number(" 12 kB") == 12
    assert compare.number("x") == 0
    text = "MemFree:    12 kB\nActive(anon): 3\nx\nName: a\n"
    assert compare.parse_keyed(text) == {"MemFree": 12, "Active(anon)": 3}
    text = "open: count=5 last_timestamp_ns=7\nx: y\ncount=1\n"
    assert compare.parse_pairs(text) == {"open": {"count": 5, "last_timestamp_ns": 7}}


def test_a_size_that_is_missing_and_one_that_nobody_can_read() -> None:
    before = dict.fromkeys(compare.MEMINFO_KEYS.values(), 100)
    snapshot = dict.fromkeys(compare.MEMINFO_KEYS, 100)
    assert all(check.ok for check in compare.compare_memory(before, snapshot, before))
    del snapshot["cached_kb"], before["Slab"]
    checks = {check.name: check for check in compare.compare_memory(before, snapshot, before)}
    assert checks[f"{syscalls.CAPTURE} cached_kb"].ok is False
    assert checks[f"{syscalls.CAPTURE} slab_kb"].ok is None


def test_io_between_two_readings() -> None:
    before = dict.fromkeys(syscalls.IO_FIELDS, 10)
    stats = {**before, "rchar": 15, "wchar": 9}
    after = {**before, "rchar": 20}
    checks = compare.compare_io(before, stats, after, "x")
    assert [check.name for check in checks if not check.ok] == ["x wchar"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (syscalls.Answer(4, 0), "4"),
        (syscalls.Answer(-1, 14), "EFAULT"),
        (syscalls.Answer(-1, 0), "-1"),
    ],
)
def test_an_answer_as_text(answer: syscalls.Answer, text: str) -> None:
    assert compare.answer_text(answer) == text
    assert compare.compare_answer("x", answer, text).ok


LOG = [b"[early]", b"Linux version 6.8", b"a", b"b"]


@pytest.mark.parametrize(
    ("message", "log", "ok"),
    [
        ("a\nb\n", LOG, True),
        ("b\na\n", LOG, False),
        ("a\nc\n", LOG, False),
        ("a\nb\n", LOG[2:], True),  # found, wherever it is
        ("a\nc\n", LOG[2:], None),
    ],
)
def test_a_boot_message(message: str, log: list[bytes], ok: bool | None) -> None:
    assert compare.compare_message(message, [("dmesg", log)]).ok is ok


def test_the_next_log_counts_where_the_first_has_lost_the_boot() -> None:
    logs = [("dmesg", [b"late"]), ("the journal", LOG)]
    check = compare.compare_message("a\nb", logs)
    assert (check.ok, check.detail) == (True, "each literally, in the journal")
