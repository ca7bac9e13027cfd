# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of checks, and whether a failed one fails the task."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.action import show_checks
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log

GOOD = {"name": "release", "system": "6.12", "value": "6.12", "ok": True, "detail": ""}
BAD = {"name": "sysname", "system": "Linux", "value": "Mine", "ok": False, "detail": "differs"}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(show_checks.display, "display", texts.append)
    return texts


def act(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    action = show_checks.ActionModule.__new__(show_checks.ActionModule)
    given = {"title": "", "sizes": None, "show": "all", "fail": False}
    given.update({"kernel_log": None, "health": None, **options})
    return action.act({"checks": list(checks), **given}, {"inventory_hostname": "web1"})


def test_all_is_well(printed: list[str]) -> None:
    counts = {"ok": 1, "failed": 0, "unknown": 0}
    nothing = {"checks": [], "changes": [], "baseline": "", "system": ""}
    shown = {"checks": [GOOD], "sizes": {}, "health": nothing}
    shown["kernel_log"] = {"checks": [], "complaints": []}
    wanted = {"changed": False, "failures": [], "counts": counts, "report": shown}
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


# --- what is judged -----------------------------------------------------------------------------

WARN = {"kind": "warn", "name": "at x.c:#", "count": 1, "seconds": 7, "lines": ["WARNING: at x.c"]}
OTHER = {"release": "6.1", "tainted": 0, "complaints": [], "complete": True}
BASELINE = {**OTHER, "complaints": [kernel_log.fingerprint("warn", "at x.c:#")]}
LOST = {"kind": "mount", "name": "/srv", "before": "ext4", "now": "", "state": "lost"}


def log(baseline: Any = None, recorded: Any = None, **more: Any) -> dict[str, Any]:
    whole = {"complete": True, "problem": "", "records": 700, "dropped": 0, "sources": []}
    answer = {**whole, "complaints": [WARN], "tainted": 0, "baseline": recorded}
    severities = {"severities": ["error"], "severities_without_baseline": ["fatal"]}
    return {"log": answer, "baseline": baseline, **severities, "allowed": [], **more}


def health(answer: Any, before: Any = None, **more: Any) -> dict[str, Any]:
    return {"answer": answer, "before": before, "required": ["mount"], "allowed": [], **more}


def names(of: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(row["name"], row["ok"]) for row in of["report"]["checks"]]


@pytest.mark.usefixtures("printed")
def test_the_log_is_judged_by_the_users_baseline_or_the_hosts() -> None:
    new = [("release", True), ("kernel log", False), ("kernel log, warn", False)]
    known = [("release", True), ("kernel log", True)]
    assert names(act(GOOD, kernel_log=log(OTHER, BASELINE))) == new
    assert names(act(GOOD, kernel_log=log(BASELINE, OTHER))) == known
    assert names(act(GOOD, kernel_log=log({}, OTHER))) == new
    assert names(act(GOOD, kernel_log=log({}, BASELINE))) == known
    assert names(act(GOOD, kernel_log=log())) == known  # only what is fatal
    assert names(act(GOOD, kernel_log=log(log=None))) == [("release", True), ("kernel log", None)]
    allowed = [{"pattern": "x[.]c", "reason": "known"}]
    assert names(act(GOOD, kernel_log=log(OTHER, allowed=allowed))) == known
    failed = act(GOOD, kernel_log=log(OTHER), fail=True)
    assert failed["failed"] is True
    assert failed["report"]["kernel_log"]["complaints"][0]["fails"] is True


@pytest.mark.usefixtures("printed")
def test_what_a_trial_boot_changed_stays_in_the_report() -> None:
    answer = {"release": "6.1", "system": "running", "changes": [LOST]}
    trial = act(GOOD, health=health(answer), fail=True)
    assert names(trial) == [("release", True), ("health", False), ("health, mount /srv", False)]
    assert trial["failed"] is True
    before = trial["report"]["health"]
    assert before["changes"][0]["fails"] is True
    later = act(GOOD, health=health(None, before), fail=True)
    assert names(later) == [("release", True)]
    assert later["report"]["health"] == before
    again = act(GOOD, health=health({**answer, "changes": []}, before))
    assert again["report"]["health"]["changes"] == []
    assert names(act(GOOD, health=health(answer, required=[])))[1:] == [("health", True)]
