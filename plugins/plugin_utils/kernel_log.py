# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The complaints of a host's kernel, judged: which of them are new, and which of those fail it.

The host reports them by kind and name (module_utils/_verify/kernel_log.py). What the fallback
kernel complained of on the same host, before the trial boot, is no news: a baseline keeps that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import RELEASE
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log, report
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_rules import (
    KINDS,
    SEVERITIES,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_verdict import (
    ALLOWED,
    BEFORE,
    NEW,
    Settings,
    is_complete,
    judged,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import Form

_NUMBER = re.compile(r"[0-9]{1,20}")
# An escape takes ten characters for one.
_LINE = re.compile(rf"[^\n]{{0,{10 * kernel_log.LENGTH}}}")
_KIND = re.compile("|".join(KINDS))

# What of a baseline is kept, on the control node and in the record of the installation.
BASELINE = {
    "release": Form(str, like=RELEASE),
    "tainted": Form(int, like=_NUMBER),
    "complaints": Form(list, str, like=kernel_log.FINGERPRINT, most=kernel_log.MOST_GROUPS),
    # Earlier versions did not say it.
    "complete": Form(bool),
}
_COMPLAINT = {
    "kind": Form(str, like=_KIND),
    "name": Form(str, like=_LINE),
    "count": Form(int, like=_NUMBER),
    "seconds": Form(int, like=_NUMBER),
    "lines": Form(list, str, like=_LINE, most=kernel_log.MOST_LINES),
}
_LOG = {
    "complete": Form(bool),
    "sources": Form(list, str, like=_LINE, most=2),
    "problem": Form(str, like=_LINE),
    "records": Form(int, like=_NUMBER),
    "complaints": Form(list, dict, most=kernel_log.MOST_GROUPS, each=_COMPLAINT),
    "dropped": Form(int, like=_NUMBER),
    "tainted": Form(int, like=_NUMBER),
    "baseline": Form(dict, null=True, fields=BASELINE),
}
#: The part `kernel_log` of an answer.
FORM = Form(dict, null=True, fields=_LOG)

# Rows of the table of checks for complaints that fail the host.
MOST_ROWS = 10


def baseline(log: Optional[Mapping[str, Any]], release: str) -> dict[str, Any]:
    """What is kept of the log of a kernel; empty if that could not be read."""
    if not log or log.get("problem"):
        return {}
    return {
        "release": release,
        "tainted": log.get("tainted", 0),
        "complaints": [
            kernel_log.fingerprint(one["kind"], one["name"]) for one in log.get("complaints", [])
        ],
        "complete": bool(log.get("complete")) and not log.get("dropped"),
    }


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    lines = [" ".join(line.split()) for line in one["lines"]]
    times = f"{one['count']} times, " if one["count"] > 1 else ""
    parts = [f"{times}{one['severity']}, {one['seconds']} s after the boot", *lines[1:]]
    return {
        "name": f"{report.KERNEL_LOG}, {one['kind'].replace('_', ' ')}",
        "ok": False,
        "expected": "none",
        "actual": lines[0] if lines else one["name"],
        "tolerance": None,
        "detail": plain_text.few(parts, separator="; "),
    }


def _counts(complaints: Sequence[Mapping[str, Any]], log: Mapping[str, Any]) -> list[str]:
    def number(state: str) -> int:
        return sum(one["state"] == state for one in complaints)

    others = sum(one["state"] == NEW and not one["fails"] for one in complaints)
    parts = [
        (number(BEFORE), "as before"),
        (number(ALLOWED), "allowed"),
        (others, "less severe"),
        (log.get("dropped", 0), "not reported"),
    ]
    return [f"{count} {words}" for count, words in parts if count]


def _failing(known: Mapping[str, Any], settings: Settings) -> list[str]:
    """The severities that any complaint may have that fails the host."""
    wanted = {*settings.severities_without_baseline, *(settings.severities if known else ())}
    return [one for one in SEVERITIES if one in wanted]


def _expected(known: Mapping[str, Any], settings: Settings) -> str:
    if known:
        return "no new complaints"
    failing = _failing(known, settings)
    return f"no {' or '.join(failing)} complaints" if failing else "any complaints"


def _misses_some(log: Mapping[str, Any], failing: Sequence[str]) -> bool:
    """Whether there may be complaints that fail the host, and the host has not reported them."""
    if not log.get("complete", False):
        return bool(failing)
    # Those that are not reported are no more severe than the last one that is.
    last = [KINDS[one["kind"]] for one in log.get("complaints", [])][-1:]
    return bool(log.get("dropped") and {*last} & {*failing})


def checks(
    log: Mapping[str, Any],
    known: Mapping[str, Any],
    complaints: Sequence[Mapping[str, Any]],
    settings: Settings,
) -> list[dict[str, Any]]:
    """Rows of the table of checks: one, and one for each complaint that fails the host."""
    row: dict[str, Any] = {"name": report.KERNEL_LOG, "tolerance": None, "detail": ""}
    row["expected"] = _expected(known, settings)
    if log.get("problem"):
        return [{**row, "ok": None, "actual": "unknown", "detail": str(log["problem"])}]
    failed = [one for one in complaints if one["fails"]]
    counts = _counts(complaints, log)
    if not known:
        counts.append("no baseline")
    elif not is_complete(known):
        counts.append("incomplete baseline")
    if not log.get("complete", False):
        counts.append("a part of the log is lost")
    unknown = not failed and _misses_some(log, _failing(known, settings))
    found = f"{len(failed)} new" if failed else "unknown" if unknown else "none"
    row.update(
        ok=None if unknown else not failed,
        actual=f"{found} ({', '.join(counts)})" if counts else found,
    )
    if known:
        row["detail"] = f"compared with the boot of {known.get('release', 'another kernel')}"
    return [row, *map(_row, failed[:MOST_ROWS])]


def verdict(
    log: Optional[Mapping[str, Any]], known: Optional[Mapping[str, Any]], settings: Settings
) -> dict[str, Any]:
    """What is shown of the log, and what becomes part of the report."""
    log = log if log is not None else {"problem": "the host did not report it"}
    known = known or {}
    complaints = judged(log, known, settings)
    return {
        "checks": checks(log, known, complaints, settings),
        "complaints": complaints,
        "baseline": known.get("release", ""),
        "complete": bool(log.get("complete", False)),
    }
