# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that needs nothing else: no network, no script.

All texts are escaped by the template's engine, and the page's policy lets no script run. That of a
large fleet stays small: hosts that passed are shown in full as long as there is room, hosts that
failed first. report.json has everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import (
    charts,
    model,
    outcome,
    words,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parents[3] / "roles/report/templates"
#: Bytes of all hosts together; the rest of the page takes less than a tenth of that.
ROOM = 1_700_000
#: Failures that the page explains at its beginning, and hosts that are open.
MOST_FAILURES = 40
MOST_OPEN = 10
#: Rows of one table of an entry in full (a host has about a hundred checks), and of a short one.
MOST_ROWS = 200
FEW_ROWS = 20
_GROUPS = (
    ("memory", "Memory (KiB)"),
    ("io", "I/O of the checking process"),
    ("calls", "Calls since the boot"),
)


class Row(NamedTuple):
    """How a check ended on all hosts together."""

    name: str
    ok: int
    unknown: int
    failed: int
    #: Names of hosts on which it failed, as many as a line has.
    where: str


class Section(NamedTuple):
    """Hosts of one outcome: those with an entry, and the names of the others."""

    kind: str
    number: int
    entries: Sequence[Markup]
    others: Sequence[str]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        duration=words.duration,
        mib=words.mib,
        when=words.when,
        value=words.value,
    )
    made.globals.update(difference=words.difference, kinds=outcome.KINDS, counter_groups=_GROUPS)
    return made


def _rows(hosts: Sequence[model.Host]) -> list[Row]:
    """What failed first, then the order of the checks."""
    results: dict[str, Counter[str]] = {}
    where: dict[str, list[str]] = {}
    for host in hosts:
        for check in host["checks"]:
            results.setdefault(check["name"], Counter())[check["result"]] += 1
            if check["result"] == model.FAILED:
                where.setdefault(check["name"], []).append(host["name"])
    rows = [
        Row(name, of[model.OK], of[model.UNKNOWN], of[model.FAILED], _few(where.get(name, [])))
        for name, of in results.items()
    ]
    return sorted(rows, key=lambda row: (-row.failed, -row.unknown))[:MOST_ROWS]


def _few(names: Sequence[str]) -> str:
    return plain_text.few(names)


def _entry(host: model.Host, number: int, *, full: bool, alone: bool, several: bool) -> Markup:
    """:param several: whether hosts take the kernels of several builders."""
    template = _environment().get_template("report_host.html.j2")
    is_open = alone or (host["passed"] is False and number < MOST_OPEN)
    values = {"host": host, "id": f"h{number}", "full": full, "open": is_open}
    values["most"] = MOST_ROWS if full else FEW_ROWS
    return Markup(template.render(values, several=several))


def _size(text: str) -> int:
    return len(text.encode())


def _entries(hosts: Sequence[model.Host], room: int) -> list[Markup]:
    """Of as many hosts as there is room for, each in full or without the checks that passed.

    The first that failed are in full, unless what a host says takes the place of others.
    """
    entries: list[Markup] = []
    alone = len(hosts) == 1
    several = len({host["kernel_from"] for host in hosts}) > 1
    left = room
    for number, host in enumerate(hosts):
        first = host["passed"] is False and number < MOST_OPEN
        entry = _entry(host, number, full=first, alone=alone, several=several)
        if first and _size(entry) > room // MOST_OPEN:
            entry = _entry(host, number, full=False, alone=alone, several=several)
        left -= _size(entry)
        if left < 0:
            break
        entries.append(entry)
    for number, host in enumerate(hosts[: len(entries)]):
        entry = _entry(host, number, full=True, alone=alone, several=several)
        left -= _size(entry) - _size(entries[number])
        if left < 0:
            break
        entries[number] = entry
    return entries


def _sections(report: model.Report, room: int) -> list[Section]:
    """The hosts have the order of the outcomes already."""
    hosts = report["hosts"]
    entries = _entries(hosts, room)
    sections = []
    start = 0
    for kind, count in report["outcomes"].items():
        shown = entries[start : start + count]
        others = [one["name"] for one in hosts[start + len(shown) : start + count]]
        sections.append(Section(kind, count, shown, others))
        start += count
    return sections


def render(report: model.Report, room: int = ROOM) -> str:
    """The page.

    :param room: bytes that all hosts together may take.
    """
    hosts = report["hosts"]
    failed = [host for host in hosts if host["passed"] is False]
    values: dict[str, Any] = {
        "report": report,
        "charts": charts.all_of(report),
        "failures": failed[:MOST_FAILURES],
        "failed": len(failed),
        "passed": sum(host["passed"] is True for host in hosts),
        "rows": _rows(hosts),
        "several": len(report["kernels"]) > 1,
        "sections": _sections(report, room),
    }
    return _environment().get_template("report.html.j2").render(values) + "\n"
