# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of checks, and whether a failed one fails the task."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.action import show_checks

GOOD = {"name": "release", "system": "6.12", "value": "6.12", "ok": True, "detail": ""}
BAD = {"name": "sysname", "system": "Linux", "value": "Mine", "ok": False, "detail": "differs"}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(show_checks.display, "display", texts.append)
    return texts


def act(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    action = show_checks.ActionModule.__new__(show_checks.ActionModule)
    given = {"title": "", "sizes": None, "show": "all", "fail": False, "changes": [], **options}
    return action.act({"checks": list(checks), **given}, {"inventory_hostname": "web1"})


def test_all_is_well(printed: list[str]) -> None:
    counts = {"ok": 1, "failed": 0, "unknown": 0}
    wanted = {"changed": False, "failures": [], "counts": counts}
    assert act(GOOD, fail=True) == wanted
    assert act(GOOD, show="failures", title="web1") == wanted
    assert "release" in printed[0]
    assert printed[1] == "web1: 1 checks, 1 ok"


def test_what_did_not_pass_is_shown_alone(printed: list[str]) -> None:
    unknown = {"name": "boot message", "ok": None}
    act(GOOD, BAD, unknown, show="failures", title="web1")
    lines = printed[0].splitlines()
    assert lines[0] == "web1"
    assert [line.split(" |")[0].strip() for line in lines[3:5]] == ["sysname", "boot message"]
    assert lines[-1] == "3 checks, 1 ok, 1 FAILED, 1 unknown"
    assert "release" not in printed[0]


@pytest.mark.parametrize("wanted", ["failures", "all"])
def test_a_failed_check_is_shown_and_fails_if_that_is_wanted(
    printed: list[str], wanted: str
) -> None:
    shown = act(GOOD, BAD, show=wanted)
    assert len(shown["failures"]) == 1
    assert shown["counts"] == {"ok": 1, "failed": 1, "unknown": 0}
    assert "failed" not in shown
    failed = act(GOOD, BAD, show=wanted, fail=True)
    assert failed["failed"] is True
    assert failed["failures"] == shown["failures"]
    assert failed["msg"].startswith("1 of 2 checks failed on web1: sysname")
    assert len(printed) == 2
