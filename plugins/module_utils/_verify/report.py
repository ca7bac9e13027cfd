# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of syscall_info as text that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text, text_table

HEADINGS = ("check", "expected", "read", "result")
_RESULTS = {True: "ok", False: "FAILED", None: "unknown"}
#: The same as names of metrics and variables have them.
OUTCOMES = tuple(word.lower() for word in _RESULTS.values())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def outcome(check: Mapping[str, Any]) -> bool | None:
    """True, False, or None for unknown. A host that answers anything else has not passed."""
    ok = check.get("ok", False)
    return ok if ok is None or isinstance(ok, bool) else False


def _row(check: Mapping[str, Any]) -> tuple[str, ...]:
    expected = _text(check.get("expected"))
    if check.get("tolerance"):
        expected += f" ±{check['tolerance']}"
    name = str(check.get("name", "(no name)"))
    return name, expected, _text(check.get("actual")), _RESULTS[outcome(check)]


def table(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Aligned columns: what was compared, what the system says, what was read, the outcome."""
    rows = [HEADINGS, *map(_row, checks)]
    heading, rule, *lines = text_table.lines(rows)
    return [heading, rule, *lines, rule, summary(checks)]


def not_passed(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that failed or are unknown."""
    return [check for check in checks if outcome(check) is not True]


def counts(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many checks ended in each of OUTCOMES."""
    outcomes = [outcome(check) for check in checks]
    return {word.lower(): outcomes.count(outcome) for outcome, word in _RESULTS.items()}


def summary(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many checks, and how they ended."""
    text = f"{len(checks)} checks"
    for ok, word in _RESULTS.items():
        number = sum(outcome(check) is ok for check in checks)
        if number or ok is True:
            text += f", {number} {word}"
    return text


#: Rows that say how many others there are, whose names begin with theirs and a comma.
KERNEL_LOG, HEALTH = SUMS = ("kernel log", "health")


def failures(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence for each check that failed; those that only count others are the last ones."""
    sentences = []
    for check in sorted(checks, key=lambda one: one.get("name") in SUMS):
        if outcome(check) is False:
            name, expected, actual, _result = _row(check)
            detail = f" ({check['detail']})" if check.get("detail") else ""
            sentences.append(
                plain_text.sentence(f"{name}: expected {expected}, read {actual}{detail}")
            )
    return sentences


# Of all sentences, and at least of each.
_MOST, _LEAST = 520, 80


def in_one_line(sentences: Sequence[str]) -> str:
    """The sentences, shortened so that a message has room for all of them, if they are not many."""
    length = max(_LEAST, _MOST // max(1, len(sentences)) - 2)
    return "; ".join(plain_text.sentence(one, length) for one in sentences)
