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
from collections.abc import Mapping, Sequence
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
ROOM = 1_600_000
#: Failures that the page explains at its beginning, and hosts that are open.
MOST_FAILURES = 40
MOST_OPEN = 10
#: Rows of one table, by how much of a host an entry shows. A host has about a hundred checks.
MOST_ROWS = 200
FEW_ROWS = 20
NO_ROWS = 0
#: Characters of a cell of a short entry.
CELL = 80
#: Bytes of an entry in full, and of a short one, so that no host takes the place of others.
LARGEST_FULL = 45_000
LARGEST_SHORT = 14_000
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
        cut=plain_text.cut,
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
        Row(
            plain_text.cut(name, CELL),
            of[model.OK],
            of[model.UNKNOWN],
            of[model.FAILED],
            _few(where.get(name, [])),
        )
        for name, of in results.items()
    ]
    return sorted(rows, key=lambda row: (-row.failed, -row.unknown))


def _few(names: Sequence[str]) -> str:
    return plain_text.cut(plain_text.few(names), 2 * CELL)


def _entry(host: model.Host, number: int, *, most: int, alone: bool, several: bool) -> Markup:
    """:param most: rows of a table; with MOST_ROWS the entry has all that is known.

    :param several: whether hosts take the kernels of several builders.
    """
    full = most == MOST_ROWS
    template = _environment().get_template("report_host.html.j2")
    is_open = alone or (host["passed"] is False and number < MOST_OPEN)
    values = {"host": host, "id": f"h{number}", "full": full, "most": most, "open": is_open}
    cell = plain_text.LENGTH if full else CELL
    return Markup(template.render(values, several=several, cell=cell))


def _size(text: str) -> int:
    return len(text.encode())


def _entries(hosts: Sequence[model.Host], room: int) -> dict[int, Markup]:
    """Those that there is room for, by the number of the host.

    The first that failed are in full, and so are others as long as there is room.
    """
    entries: dict[int, Markup] = {}
    alone = len(hosts) == 1
    several = len({host["kernel_from"] for host in hosts}) > 1
    left = room
    for number, host in enumerate(hosts):
        first = host["passed"] is False and number < MOST_OPEN
        for most, largest in (
            *(((MOST_ROWS, LARGEST_FULL),) if first else ()),
            (FEW_ROWS, LARGEST_SHORT),
            (NO_ROWS, room),
        ):
            entry = _entry(host, number, most=most, alone=alone, several=several)
            if _size(entry) <= largest:
                break
        if _size(entry) <= left:
            entries[number] = entry
            left -= _size(entry)
    for number in list(entries):
        entry = _entry(hosts[number], number, most=MOST_ROWS, alone=alone, several=several)
        if _size(entry) > LARGEST_FULL and not alone:
            continue
        left -= _size(entry) - _size(entries[number])
        if left < 0:
            break
        entries[number] = entry
    return entries


def _sections(report: model.Report, entries: Mapping[int, Markup]) -> list[Section]:
    """The hosts have the order of the outcomes already."""
    sections = []
    start = 0
    for kind, count in report["outcomes"].items():
        numbers = range(start, start + count)
        shown = [entries[number] for number in numbers if number in entries]
        others = [report["hosts"][number]["name"] for number in numbers if number not in entries]
        sections.append(Section(kind, count, shown, others))
        start += count
    return sections


def render(report: model.Report, room: int = ROOM) -> str:
    """The page.

    :param room: bytes that all hosts together may take.
    """
    hosts = report["hosts"]
    failed = [host for host in hosts if host["passed"] is False]
    entries, rows = _entries(hosts, room), _rows(hosts)
    values: dict[str, Any] = {
        "report": report,
        "charts": charts.all_of(report),
        "failures": failed[:MOST_FAILURES],
        "failed": len(failed),
        "passed": sum(host["passed"] is True for host in hosts),
        "rows": rows[:MOST_ROWS],
        "checks": len(rows),
        "entries": entries,
        "several": len(report["kernels"]) > 1,
        "sections": _sections(report, entries),
    }
    return _environment().get_template("report.html.j2").render(values) + "\n"
