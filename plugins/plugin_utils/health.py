# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference that a trial boot makes on a host, judged: which of it fails the host.

The host compares itself with what it was before (module_utils/_verify/health.py), and reports what
is lost, gone, changed and new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import RELEASE
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, report
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import Form

_NUMBER = re.compile(r"[0-9]{1,11}")
# An escape takes ten characters for one.
_LINE = re.compile(rf"[^\n]{{0,{10 * health.LENGTH}}}")
_KIND = re.compile("|".join(health.KINDS))
_STATE = re.compile("|".join(health.STATES))

#: The part `health` of an answer of host_kernel_info: JSON of one line, for the record on the host.
RECORD_FORM = Form(str, null=True, like=re.compile(rf"[ -~]{{0,{health.MOST_BYTES}}}"))
_CHANGE = {
    "kind": Form(str, like=_KIND),
    "name": Form(str, like=_LINE),
    "before": Form(str, like=_LINE),
    "now": Form(str, like=_LINE),
    "state": Form(str, like=_STATE),
}
_HEALTH = {
    "problem": Form(str, like=_LINE),
    "release": Form(str, like=re.compile(f"(?:{RELEASE.pattern})?")),
    "age": Form(int, like=_NUMBER),
    "system": Form(str, like=_LINE),
    "seconds": Form(int, like=_NUMBER),
    "changes": Form(list, dict, most=health.MOST_CHANGES, each=_CHANGE),
    "dropped": Form(int, like=_NUMBER),
    "unread": Form(list, str, like=_KIND, most=len(health.KINDS)),
}
#: The part `health` of an answer of syscall_info.
FORM = Form(dict, null=True, fields=_HEALTH)

_HOUR, _DAY = 3600, 86_400

# Rows of the table of checks for what fails the host.
MOST_ROWS = 10


class Settings(NamedTuple):
    """The user's."""

    #: Kinds of which a loss fails the host.
    required: Collection[str]
    #: Mappings with `pattern` and `reason`.
    allowed: Sequence[Mapping[str, Any]]


def _label(change: Mapping[str, Any]) -> str:
    return f"{str(change['kind']).replace('_', ' ')} {change['name']}"


def _reason(label: str, allowed: Sequence[Mapping[str, Any]]) -> str:
    """Why the user allows it; empty if not."""
    return next(
        (str(entry["reason"]) for entry in allowed if re.search(entry["pattern"], label)), ""
    )


def judged(changes: Sequence[Mapping[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """The changes with `fails` and `reason`, what fails the host first."""
    found = []
    for change in changes:
        label = _label(change)
        matters = change["state"] == health.LOST and change["kind"] in settings.required
        reason = _reason(label, settings.allowed) if matters else ""
        found.append({**change, "label": label, "fails": matters and not reason, "reason": reason})
    return sorted(found, key=lambda one: not one["fails"])


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{report.HEALTH}, {one['label']}",
        "ok": False,
        "expected": one["before"],
        "actual": one["now"] or "absent",
        "tolerance": None,
        "detail": "it worked before the trial boot",
    }


def _counts(changes: Sequence[Mapping[str, Any]], dropped: int) -> list[str]:
    reasons = sum(bool(one["reason"]) for one in changes)
    others = [one for one in changes if not one["fails"] and not one["reason"]]
    missing = sum(one["state"] in (health.LOST, health.GONE) for one in others)
    parts = [
        (reasons, "allowed"),
        (missing, "gone"),
        (sum(one["state"] == health.CHANGED for one in others), "changed"),
        (sum(one["state"] == health.NEW for one in others), "new"),
        (dropped, "not reported"),
    ]
    return [f"{count} {words}" for count, words in parts if count]


def _age(seconds: int) -> str:
    """How old the record is, if the host may have been changed since by others."""
    if seconds <= _HOUR:
        return ""
    if seconds < 2 * _DAY:
        return f", {seconds // _HOUR} h ago"
    return f", {seconds // _DAY} days ago"


def checks(
    answer: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], settings: Settings
) -> list[dict[str, Any]]:
    """Rows of the table of checks: one, and one for each loss that fails the host."""
    row: dict[str, Any] = {"name": report.HEALTH, "tolerance": None, "detail": ""}
    row["expected"] = "all that worked before"
    if answer.get("problem"):
        return [{**row, "ok": None, "actual": "unknown", "detail": str(answer["problem"])}]
    failed = [one for one in changes if one["fails"]]
    unread = [one for one in answer.get("unread", []) if one in settings.required]
    counts = _counts(changes, answer.get("dropped", 0))
    if unread:
        counts.append(f"unreadable: {', '.join(unread)}")
    details = f" ({', '.join(counts)})" if counts else ""
    row["ok"] = False if failed else None if unread else True
    row["actual"] = f"{f'{len(failed)} lost' if failed else 'none lost'}{details}"
    system = answer.get("system", "")
    boot = f"compared with the boot of {answer.get('release', 'another kernel')}"
    row["detail"] = f"{boot}{_age(answer.get('age', 0))}" + (
        f"; systemd says {system}, after {answer.get('seconds', 0)} s" if system else ""
    )
    return [row, *map(_row, failed[:MOST_ROWS])]


def verdict(answer: Optional[Mapping[str, Any]], settings: Settings) -> dict[str, Any]:
    """What is shown of the difference, and what becomes part of the report.

    Nothing in any other than an unconfirmed trial boot: there is nothing to compare with.
    """
    if answer is None:
        return {"checks": [], "changes": [], "baseline": "", "system": ""}
    changes = judged(answer.get("changes", []), settings)
    return {
        "checks": checks(answer, changes, settings),
        "changes": changes,
        "baseline": answer.get("release", ""),
        "system": answer.get("system", ""),
    }


def table_row(change: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """A change for people: what, before, now, and what follows."""
    reason = change.get("reason")
    outcome = "FAILED" if change.get("fails") else f"allowed: {reason}" if reason else "reported"
    return (
        str(change.get("label", "")),
        str(change.get("before", "")) or "-",
        str(change.get("now", "")) or "-",
        outcome,
    )
