# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from ansible_collections.oslab.kernel.plugins.module_utils._smoke import answers, steps
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.console import Outcome
from ansible_collections.oslab.kernel.tests.lib import smoke_line

PLANNED = steps.plan(smoke_line.contents())


def outcomes(**texts: str) -> dict[str, Outcome]:
    found = {}
    for number, step in enumerate(PLANNED):
        outcome = found[step.key] = Outcome()
        text = texts.get(step.key, smoke_line.good_output(step, number))
        outcome.output = text.splitlines()
    return found


def failed(given: dict[str, Outcome]) -> list[str]:
    checks = answers.checks(given, smoke_line.MANIFEST)
    return [check.name for check in checks if check.ok is False]


def test_good_answers() -> None:
    rows = list(answers.checks(outcomes(), smoke_line.MANIFEST))
    assert len(rows) == 2 + 11 + 6 + 5
    assert all(row.ok for row in rows)


def test_wrong_answers() -> None:
    assert failed(outcomes(release="6.8.1")) == ["release"]
    assert "capture_memory_snapshot free_kb" in failed(outcomes(capture_memory_snapshot="{}"))
    wrong = failed(outcomes(track_syscall_usage='{"open": {"count": "1"}, "read": 7}'))
    assert "track_syscall_usage names" in wrong
    assert "track_syscall_usage fork counted" in wrong


def test_memory_may_drift_while_the_program_runs_but_no_further() -> None:
    near = json.dumps({"free_kb": 1001 + answers.MEMORY_DRIFT_KIB})
    far = json.dumps({"free_kb": 1002 + answers.MEMORY_DRIFT_KIB})
    assert "capture_memory_snapshot free_kb" not in failed(outcomes(capture_memory_snapshot=near))
    assert "capture_memory_snapshot free_kb" in failed(outcomes(capture_memory_snapshot=far))


def test_without_a_program_or_a_file_nothing_is_compared() -> None:
    assert failed(outcomes(capture_memory_snapshot="-1 14")) == []
    given = outcomes()
    for key in ("get_io_throttle before", "track_syscall_usage before"):
        del given[key]
    assert failed(given) == []


def test_a_plain_call() -> None:
    def problem(text: str) -> str:
        outcome = Outcome()
        outcome.output = [text]
        return answers.call_problem(outcome)

    assert problem("-1 38") == "there is no such syscall (ENOSYS)"
    assert [problem(text) for text in ("-1 14", "0 0", "38 0")] == [""] * 3
    for text in ("", "-1", "x 14", "-1 14\n0 0"):
        assert problem(text) == "it prints no answer"
