# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns that stay aligned, and sentences that name what failed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import report


def check(name: str, ok: Any, expected: Any, actual: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "ok": ok, "expected": expected, "actual": actual, **more}


CHECKS = [
    check("sysname (uname -s)", True, "Usac Linux - 202010856", "Usac Linux - 202010856"),
    check("free_kb", True, "100..200", 150, tolerance="256 KiB", detail="/proc/meminfo MemFree"),
    check("open counted", False, "200..216", 400, detail="200 calls made"),
    check("answers", False, True, False),
    check("boot message", None, "7 lines", "unknown"),
]


def test_table() -> None:
    assert report.table(CHECKS) == [
        "check              | expected               | read                   | result",
        "=" * 78,
        "sysname (uname -s) | Usac Linux - 202010856 | Usac Linux - 202010856 | ok",
        "free_kb            | 100..200 ±256 KiB      | 150                    | ok",
        "open counted       | 200..216               | 400                    | FAILED",
        "answers            | yes                    | no                     | FAILED",
        "boot message       | 7 lines                | unknown                | unknown",
        "=" * 78,
        "5 checks, 2 ok, 2 FAILED, 1 unknown",
    ]


def test_an_empty_table_says_so() -> None:
    assert report.table([])[-1] == "0 checks, 0 ok"


def test_failures_name_each_check_and_what_was_read() -> None:
    assert report.failures(CHECKS) == [
        "open counted: expected 200..216, read 400 (200 calls made)",
        "answers: expected yes, read no",
    ]


def test_failures_that_only_count_others_come_last() -> None:
    names = ("kernel log", "kernel log, warn", "health", "health, mount /data", "release")
    found = report.failures([check(name, False, "a", "b") for name in names])
    order = [one.partition(":")[0] for one in found]
    assert order == ["kernel log, warn", "health, mount /data", "release", "kernel log", "health"]


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_a_message_has_room_for_all_failures(count: int) -> None:
    sentences = [f"{number} {'x' * 590}" for number in range(count)]
    text = report.in_one_line(sentences)
    assert len(text) <= 530
    assert [one[0] for one in text.split("; ")] == [str(number) for number in range(count)]


def test_a_message_with_many_failures_says_something_of_each() -> None:
    text = report.in_one_line([f"{number} {'x' * 590}" for number in range(20)])
    assert {len(one) for one in text.split("; ")} == {80}


EVIL = "x\x1b[1A\rok\n\u202e | ok\x9b"


def test_a_host_cannot_draw_the_table() -> None:
    checks = [check(EVIL, False, EVIL, EVIL, detail=EVIL, tolerance=EVIL)]
    for line in [*report.table(checks), *report.failures(checks)]:
        assert line.isprintable()
    assert len(report.table(checks)) == 5
    assert report.table(checks)[2].count("|") == 3
    long = check("c", False, "x" * 10_000, "y" * 10_000, detail="z" * 10_000)
    assert max(map(len, report.table([long]))) < 200
    assert len(report.failures([long])[0]) == 600


def test_columns_are_aligned_where_letters_are_wide() -> None:
    table = report.table([check("🚀", True, "año", "日本"), check("c", True, 1, 2)])
    assert table[2] == "🚀    | año      | 日本 | ok"
    assert table[3] == "c     | 1        | 2    | ok"


@pytest.mark.parametrize("ok", [0, 1, "yes", [], {}])
def test_an_outcome_that_is_none_has_not_passed(ok: Any) -> None:
    checks = [{"name": "c", "ok": ok, "expected": 1, "actual": 2}, {}]
    assert report.summary(checks) == "2 checks, 0 ok, 2 FAILED"
    assert len(report.failures(checks)) == 2
    assert all(line.endswith("FAILED") for line in report.table(checks)[2:4])
