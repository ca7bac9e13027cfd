# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fleet stands after a run, in as many lines as there are different outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    plain_text,
    text_table,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import boot_stages
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import outcome

HEADINGS = ("hosts", "kernel", "build", "state", "down", "which")
_ID_DIGITS = 12
# Names of a line, and characters of them all; a fleet has more than anybody reads.
_NAMES = 6
_LONGEST = _NAMES * plain_text.CELL


class Outcome(NamedTuple):
    """What hosts of one line have in common."""

    release: str
    build: str
    state: str


class Standing(NamedTuple):
    """One host."""

    name: str
    outcome: Outcome
    downtime: Optional[int] = None
    #: Seconds of each stage of it.
    stages: Mapping[str, float] = {}
    #: Seconds from its first answer until it was confirmed.
    verification: Optional[int] = None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _seconds(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def standing(name: str, known: Mapping[str, Any]) -> Standing:
    """By what deploy.yml and the roles trial and verify left among the host's variables.

    Part of that is the host's own answer, which may be anything: it counts for this host alone.
    """
    result = _dict(known.get("verify_result"))
    manifest = _dict(result.get("manifest"))
    installed = _dict(known.get("trial_result"))
    stands = Outcome(
        plain_text.cell(result.get("release") or "-"),
        plain_text.cell(str(manifest.get("build_id") or "-")[:_ID_DIGITS]),
        outcome.KINDS[outcome.of(known).kind].words,
    )
    downtime = _seconds(installed.get("downtime")) if installed.get("rebooted") else None
    verification = _seconds(installed.get("verification")) or None
    return Standing(name, stands, downtime, _dict(installed.get("stages")), verification)


def _down(members: Sequence[Standing]) -> str:
    times = [member.downtime for member in members if member.downtime is not None]
    if not times:
        return "-"
    least, most = min(times), max(times)
    return f"{least} s" if least == most else f"{least}-{most} s"


def _which(members: Sequence[Standing]) -> str:
    return plain_text.few([plain_text.cell(member.name) for member in members], _NAMES)


def report(standings: Iterable[Standing]) -> list[str]:
    """A table, the largest group first, and how many of all are verified."""
    standings = list(standings)
    groups: dict[Outcome, list[Standing]] = {}
    for one in standings:
        groups.setdefault(one.outcome, []).append(one)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    rows = [
        (str(len(members)), *alike, _down(members), _which(members)) for alike, members in ordered
    ]
    total = sum(len(members) for members in groups.values())
    verified = sum(len(members) for alike, members in ordered if alike.state == "verified")
    lines = text_table.lines([HEADINGS, *rows], right=(0,), longest=_LONGEST)
    stages = boot_stages.text(boot_stages.medians(one.stages for one in standings))
    times = [f"down (median): {stages}"] if stages else []
    lasted = [one.verification for one in standings if one.verification is not None]
    if lasted:
        times.append(f"from the first answer until confirmed (median): {median(lasted):.0f} s")
    return [*lines, lines[1], *times, f"{total} hosts, {verified} verified"]
