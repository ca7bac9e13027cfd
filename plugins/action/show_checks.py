# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a kernel log and what a trial boot changed, and print them with the checks as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text, text_table
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes
from ansible_collections.oslab.kernel.plugins.module_utils._verify import log_verdict, report
from ansible_collections.oslab.kernel.plugins.plugin_utils import health, kernel_log
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction

display = Display()
_HEADINGS = ("changed by the trial boot", "before", "now", "result")
_MOST_CHANGES = 30
_WORDS = {"type": "list", "elements": "str", "required": True}


def _changes(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table, without what is only new; empty if nothing else is there."""
    rows = [health.table_row(one) for one in changes if one.get("state") != "new"]
    if not rows:
        return []
    more = len(rows) - _MOST_CHANGES
    lines = text_table.lines([_HEADINGS, *rows[:_MOST_CHANGES]])
    return [*lines, f"and {more} more"] if more > 0 else lines


def _log(given: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    if given is None:
        return {"checks": [], "complaints": []}
    settings = log_verdict.Settings(
        given["severities"], given["severities_without_baseline"], given["allowed"]
    )
    # The user's baseline, or that which the host recorded.
    known = given["baseline"] or (given["log"] or {}).get("baseline")
    return kernel_log.verdict(given["log"], known, settings)


def _health(given: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    if given is None:
        return health.verdict(None, health.Settings((), ()))
    return health.verdict(given["answer"], health.Settings(given["required"], given["allowed"]))


class ActionModule(ControlAction):
    """Runs on the control node. Prints by itself, because the callbacks quote and fold lines."""

    spec: Mapping[str, Any] = {
        "title": {"type": "str", "default": ""},
        "checks": {"type": "list", "elements": "dict", "required": True},
        "sizes": {"type": "dict"},
        "kernel_log": {
            "type": "dict",
            "options": {
                "log": {"type": "dict"},
                "baseline": {"type": "dict"},
                "severities": _WORDS,
                "severities_without_baseline": _WORDS,
                "allowed": log_verdict.ALLOWED_OPTION,
            },
        },
        "health": {
            "type": "dict",
            "options": {
                "answer": {"type": "dict"},
                "before": {"type": "dict"},
                "required": _WORDS,
                "allowed": log_verdict.ALLOWED_OPTION,
            },
        },
        "show": {"type": "str", "choices": ["failures", "all"], "default": "all"},
        "fail": {"type": "bool", "default": False},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        log, now = _log(arguments["kernel_log"]), _health(arguments["health"])
        checks = [*arguments["checks"], *log["checks"], *now["checks"]]
        # After it is confirmed, a kernel is compared with nothing: what its trial boot has
        # changed stays in the report.
        before = (arguments["health"] or {}).get("before")
        failures = report.failures(checks)
        result = {
            "changed": False,
            "failures": failures,
            "counts": report.counts(checks),
            "report": {
                **{"checks": checks, "sizes": arguments["sizes"] or {}},
                **{"kernel_log": log, "health": now if now["checks"] else before or now},
            },
        }
        shows_all = arguments["show"] == "all"
        shown = checks if shows_all else report.not_passed(checks)
        title = plain_text.sentence(arguments["title"])
        if shown:
            lines = [title] if title else []
            lines += [*report.table(shown)[:-1], report.summary(checks)]
        else:
            lines = [f"{title}: {report.summary(checks)}" if title else report.summary(checks)]
        # What fails nothing is news, too.
        changes = _changes(now["changes"])
        lines += ["", *changes] if changes else []
        if arguments["sizes"] and shows_all:
            lines += ["", *kernel_sizes.table(arguments["sizes"])]
        # In one piece, so that tables of hosts that finish together do not mix.
        display.display("\n".join(lines))
        if failures and arguments["fail"]:
            host = variables.get("inventory_hostname", "the host")
            result["failed"] = True
            result["msg"] = (
                f"{len(failures)} of {len(checks)} checks failed on {host}: "
                f"{report.in_one_line(failures)}"
            )
        return result
