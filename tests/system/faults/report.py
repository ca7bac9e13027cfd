# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the hosts, as tables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import text_table

HEAD = (
    "fault",
    "what happens",
    "runs then",
    "back after",
    "second run",
    "it took",
    "cause",
    "verdict",
    "observed",
)

# Characters of a sentence that a cell has room for.
SAID = 120


@dataclass
class Outcome:
    """One host's."""

    name: str
    what: str
    expected: tuple[str, ...]
    # Which kernel ran after the first deployment, and seconds until it did.
    runs: str = ""
    back_in: float = 0
    # Exit status and last words of that deployment; what dpkg had left to do.
    status: int = 0
    message: str = ""
    audit: str = ""
    # After the second.
    finally_runs: str = ""
    finished_in: float = 0
    # How many faults were followed by that same deployment.
    together: int = 1
    # Why it does not answer.
    lost: str = ""
    problems: list[str] = field(default_factory=list)
    # What the failure message named as the cause.
    cause: str = ""
    # The day, and the commit of playbooks, roles and plugins. Saved results have this name.
    observed_at: str = ""
    # The same of the second deployment, if that is of an earlier run.
    second_at: str = ""

    @property
    def good(self) -> bool:
        return not self.lost and not self.problems

    @property
    def verdict(self) -> str:
        if self.lost:
            return f"LOST: {self.lost}"
        return "; ".join(self.problems) or "ok"

    def line(self) -> str:
        """For the eye of who waits."""
        then = f", then {self.finally_runs or '-'} after {self.finished_in:.0f} s"
        return (
            f"{self.name}: {self.runs or '-'} after {self.back_in:.0f} s"
            f"{then if self.finished_in else ''}: {self.verdict}"
        )

    def row(self) -> list[str]:
        unfinished = " (packages unfinished)" if self.audit else ""
        together = f" (one for {self.together})" if self.together > 1 else ""
        return [
            self.name,
            self.what,
            f"{self.runs or 'nothing'}{unfinished}",
            f"{self.back_in:.0f} s" if self.back_in else "-",
            f"{self.finally_runs}{together}" if self.finally_runs else "-",
            f"{self.finished_in:.0f} s" if self.finished_in else "-",
            self.cause or "-",
            self.verdict,
            f"{self.observed_at}{f'; second run {self.second_at}' if self.second_at else ''}",
        ]

    def take_second(self, earlier: Outcome) -> None:
        """What an earlier run says of the second deployment."""
        if earlier.finally_runs:
            self.finally_runs, self.finished_in = earlier.finally_runs, earlier.finished_in
            self.together = earlier.together
            self.second_at = earlier.second_at or earlier.observed_at

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(directory: Path, names: Sequence[str]) -> list[Outcome]:
    """What is known of these, in their order."""
    found = []
    for name in names:
        path = directory / f"{name}.json"
        if path.exists():
            found.append(Outcome(**json.loads(path.read_text())))
    return found


def said(message: str, pattern: str) -> str:
    """What a failed task's message says where a pattern is found; empty if it is not."""
    parts = [part.rstrip(":") for part in re.split(r"(?<=[.;:])\s+", message)]
    found = [part for part in parts if pattern and re.search(pattern, part)]
    if not found:
        return ""
    # The name of the task may have the word, too.
    text = max(found, key=len)
    end = max(match.end() for match in re.finditer(pattern, text))
    start = max(0, end - SAID + 2) if len(text) > SAID else 0
    short = f"{'…' if start else ''}{text[start:]}"
    return f'"{short if len(short) <= SAID else f"{short[: SAID - 1]}…"}"'


def summary(outcomes: Sequence[Outcome]) -> str:
    lost = sum(1 for outcome in outcomes if outcome.lost)
    wrong = sum(1 for outcome in outcomes if outcome.problems and not outcome.lost)
    return f"{len(outcomes)} faults, {lost} hosts lost, {wrong} not as expected"


def plain(outcomes: Sequence[Outcome]) -> str:
    rows = [list(HEAD), *(outcome.row() for outcome in outcomes)]
    return "\n".join([*text_table.lines(rows, right=(3, 5)), summary(outcomes)])


def markdown(outcomes: Sequence[Outcome]) -> str:
    rows = [list(HEAD), ["---"] * len(HEAD), *(outcome.row() for outcome in outcomes)]
    lines = [f"| {' | '.join(cell.replace('|', ' ') for cell in row)} |" for row in rows]
    return "\n".join([*lines, "", f"{summary(outcomes)}.", ""])


def _seconds(cell: str) -> float:
    return float(cell.removesuffix(" s")) if cell != "-" else 0


def _text(cell: str) -> str:
    return cell if cell != "-" else ""


def _from_row(cells: Sequence[str]) -> Outcome:
    """What row() made of it, as far as a row tells."""
    name, what, runs, back, then, took, cause, verdict, observed = cells
    outcome = Outcome(name, what, (), cause=_text(cause))
    runs, unfinished, _ = runs.partition(" (packages unfinished)")
    outcome.runs = runs if runs != "nothing" else ""
    outcome.audit = unfinished.strip(" ()")
    outcome.back_in, outcome.finished_in = _seconds(back), _seconds(took)
    together = re.fullmatch(r"(\w+) \(one for (\d+)\)", then)
    outcome.finally_runs = together[1] if together else _text(then)
    outcome.together = int(together[2]) if together else 1
    if verdict.startswith("LOST: "):
        outcome.lost = verdict.removeprefix("LOST: ")
    elif verdict != "ok":
        outcome.problems = [verdict]
    outcome.observed_at, _, outcome.second_at = observed.partition("; second run ")
    return outcome


def earlier(document: str, name: str) -> list[Outcome]:
    """The rows of a document's table: results of other days and machines."""
    _, _, rest = document.partition(f"<!-- BEGIN {name} -->\n")
    table, _, _ = rest.partition(f"<!-- END {name} -->\n")
    rows = [
        line[2:].removesuffix(" |").split(" | ")
        for line in table.splitlines()
        if line.startswith("| ")
    ]
    return [_from_row(cells) for cells in rows if cells[0] not in ("---", HEAD[0])]


def together(names: Sequence[str], new: Sequence[Outcome], old: Sequence[Outcome]) -> list[Outcome]:
    """These rows in this order: the new ones, and the old ones of what was not run again."""
    known = {outcome.name: outcome for outcome in old}
    for outcome in new:
        if not outcome.finally_runs and outcome.name in known:
            outcome.take_second(known[outcome.name])
        known[outcome.name] = outcome
    return [known[name] for name in names if name in known]


def with_table(document: str, name: str, table: str) -> str:
    """The document with this table between its marks."""
    begin, end = f"<!-- BEGIN {name} -->\n", f"<!-- END {name} -->\n"
    before, _, rest = document.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{table}{end}{after}"
