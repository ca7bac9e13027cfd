# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of soft faults and its judgement; the machine is `make test-soft-faults`."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.system.soft_faults import faults, run


@pytest.fixture(params=faults.FAULTS, ids=lambda fault: fault.name)
def fault(request: pytest.FixtureRequest) -> faults.Soft:
    found: faults.Soft = request.param
    return found


def test_there_are_many() -> None:
    names = [fault.name for fault in faults.FAULTS]
    assert len(names) == len(set(names)) >= 20


def test_the_script_is_one(fault: faults.Soft) -> None:
    subprocess.run(["sh", "-n"], input=fault.inject, text=True, check=True)
    re.compile(fault.pattern)


def report(fails: bool, outcome: str = "not_confirmed", release: str = "6.1") -> dict[str, Any]:
    """Of a host with one lost mount and one complaint."""
    change = {"what": "mount /mnt/disk", "before": "ext4", "fails": fails}
    complaint = {"kind": "atomic", "lines": ["BUG: scheduling while atomic"], "fails": fails}
    return {
        "health": {"changes": [change]},
        "log": {"complaints": [complaint]},
        "outcome": outcome,
        "release": release,
        "cause": "" if outcome == "confirmed" else "Cause: lost: x",
    }


@pytest.mark.parametrize("name", ["mount-of-disk", "atomic"])
def test_what_the_report_says_of_a_fault(name: str) -> None:
    [fault] = [fault for fault in faults.FAULTS if fault.name == name]
    assert run.verdict(fault, report(True)) == "failed"
    assert run.verdict(fault, report(False)) == "shown"
    empty: dict[str, Any] = {"health": {"changes": []}, "log": {"complaints": []}}
    assert run.verdict(fault, empty) == "missing"


@pytest.mark.parametrize(("name", "kind"), [("mount-of-disk", "lost"), ("atomic", "kernel log")])
def test_the_cause_of_a_fault_that_is_alone(name: str, kind: str) -> None:
    [fault] = [fault for fault in faults.FAULTS if fault.name == name]
    about = report(True)
    about["health"]["changes"][0]["now"] = ""
    assert run.cause(fault, about) == kind
    assert run.cause(fault, report(False)) == ""


def test_a_message_without_a_cause_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "names no cause"
    assert not any(words in one for one in run.judge("all", 2, report(True), "6.8"))
    about = {**report(True), "cause": "1 of 9 checks failed"}
    assert any(words in one for one in run.judge("all", 2, about, "6.8"))
    monkeypatch.setattr(run, "cause", lambda _fault, _about: "")
    assert "all: the cause of atomic is not named" in run.judge("all", 2, report(True), "6.8")


def test_a_fault_that_nobody_notices_is_a_problem() -> None:
    problems = run.judge("all", 2, report(True), "6.8")
    assert "all: nic-driver is missing, not failed" in problems
    assert not any("mount-of-disk" in problem for problem in problems)
    problems = run.judge("all", 2, report(False), "6.8")
    assert "all: mount-of-disk is shown, not failed" in problems


@pytest.mark.parametrize(
    ("name", "status", "about", "good"),
    [
        ("all", 2, report(True), True),
        ("all", 0, report(True, "confirmed", "6.8"), False),
        ("all", 2, report(True, release="6.8"), False),
        ("none", 0, report(False, "confirmed", "6.8"), True),
        ("none", 2, report(False), False),
        ("none", 0, report(False, "confirmed"), False),
    ],
)
def test_the_outcome_of_a_run(name: str, status: int, about: dict[str, Any], good: bool) -> None:
    words = ("did not come back", "was not confirmed")
    problems = run.judge(name, status, about, "6.8")
    assert any(word in problem for problem in problems for word in words) is not good


def test_the_table_has_a_row_for_each_fault() -> None:
    text = run.table({"all": {"warn": "failed"}})
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert [row.split("|")[1].strip() for row in rows] == [fault.name for fault in faults.FAULTS]
    assert "| warn | a WARN while services start | kernel log | - | failed | - | - |" in rows
    text = run.table({"all": {"warn": "failed"}, "causes": {"warn": "kernel log"}})
    assert "| kernel log | - | failed | - | kernel log |" in text
