# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_report: columns that stay aligned, and sentences that name what failed."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils import check_report


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
    assert check_report.table(CHECKS) == [
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
    assert check_report.table([])[-1] == "0 checks, 0 ok"


def test_failures_name_each_check_and_what_was_read() -> None:
    assert check_report.failures(CHECKS) == [
        "open counted: expected 200..216, read 400 (200 calls made)",
        "answers: expected yes, read no",
    ]
