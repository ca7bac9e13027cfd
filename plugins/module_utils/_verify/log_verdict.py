# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which complaints of a kernel are new, and which of those fail it.

The control node judges hosts so, and a builder the first boot of a kernel that it has built.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log, log_rules
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_rules import (
    KINDS,
    SEVERITIES,
)

# Of a complaint, where a pattern is looked for: its first line, and the message of a WARN.
_MATCHED_LINES = 3
# Names of modules and programs are of no interest there.
_NOT_MATCHED = ("Modules linked in:", "CPU:")

NEW, BEFORE, ALLOWED = "new", "before", "allowed"


class Settings(NamedTuple):
    """The user's."""

    severities: Collection[str]
    #: In place of these for what the kernel before may have complained of, or not.
    severities_without_baseline: Collection[str]
    #: Mappings with `pattern` and `reason`.
    allowed: Sequence[Mapping[str, Any]]


#: The option of a module for Settings.allowed, as in its argument_spec.
ALLOWED_OPTION = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "pattern": {"type": "str", "required": True},
        "reason": {"type": "str", "required": True},
    },
}


def _taints(log: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The flags that no complaint of the log explains, as complaints of their own."""
    reported = {one["kind"] for one in log.get("complaints", [])}
    return [
        {
            "kind": "taint",
            "flag": flag,
            "name": flag.letter,
            "count": 1,
            "seconds": 0,
            "lines": [f"the kernel is tainted: {flag.letter}, {flag.text}"],
        }
        for flag in log_rules.flags(log.get("tainted", 0))
        if not reported & {*flag.kinds}
    ]


def _was_before(one: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    if "flag" in one:
        return one["flag"] in log_rules.flags(known.get("tainted", 0))
    known_names = known.get("complaints", [])
    return kernel_log.fingerprint(one["kind"], one["name"]) in known_names


def _failing(
    one: Mapping[str, Any], known: Mapping[str, Any], settings: Settings
) -> Collection[str]:
    """The severities of which this complaint, if it is new, fails the kernel."""
    if is_complete(known) or ("flag" in one and known):
        return settings.severities
    # Of what sets a flag the flag says, too, that there was none.
    letters = log_rules.ALWAYS_TAINT.get(one["kind"], "")
    before = {flag.letter for flag in log_rules.flags(known.get("tainted", 0))}
    if known and letters and not before & {*letters}:
        return settings.severities
    return settings.severities_without_baseline


def is_complete(known: Mapping[str, Any]) -> bool:
    """Whether a baseline has all that the kernel before complained of."""
    return known.get("complete") is True


def _reason(one: Mapping[str, Any], allowed: Sequence[Mapping[str, Any]]) -> str:
    """Why the user allows it; empty if not."""
    lines = [line for line in one["lines"][:_MATCHED_LINES] if not line.startswith(_NOT_MATCHED)]
    # The form of the first line is another one in other kernels, that of the name is not.
    lines.append(one["name"])
    for entry in allowed:
        if any(re.search(entry["pattern"], line) for line in lines):
            return str(entry["reason"])
    return ""


def judged(
    log: Mapping[str, Any], known: Mapping[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """The complaints with `severity`, `state`, `reason` and `fails`, the most severe one first."""
    found = []
    for one in [*log.get("complaints", []), *_taints(log)]:
        severity = one["flag"].severity if "flag" in one else KINDS[one["kind"]]
        reason = _reason(one, settings.allowed)
        state = BEFORE if _was_before(one, known) else ALLOWED if reason else NEW
        found.append(
            {
                **{key: value for key, value in one.items() if key != "flag"},
                "severity": severity,
                "state": state,
                "reason": reason if state == ALLOWED else "",
                "fails": state == NEW and severity in _failing(one, known, settings),
            }
        )
    return sorted(found, key=lambda one: (not one["fails"], SEVERITIES.index(one["severity"])))
