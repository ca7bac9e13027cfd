#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of numbers: what each benchmark found last, where, when and of which commit.

A benchmark that is called with --record replaces its own part. Called directly, this writes the
page, docs/results/numbers.md, again from the figures, docs/results/numbers.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs/results"
HEAD = """# Results: the numbers

Written by the benchmarks themselves (`--record`), each for its own part; what they measure is in
[bench/](../../bench/README.md). Not to be edited: `bench/figures.py` writes this page from
`numbers.json`.
"""


class Figure(NamedTuple):
    what: str
    value: float
    unit: str = ""
    wanted: str = ""  # as "≤ 3"; empty if there is no target
    reached: Optional[bool] = None


def cpu_name() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1).strip() if found else os.uname().machine


def machine() -> str:
    """Processor, number of them and memory of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu_name()}, {os.cpu_count()} CPUs, {memory:.0f} GiB"


def commit(root: Path) -> str:
    """That of the checkout. Raises SystemExit if something but results is not committed."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    changed = git("status", "--porcelain", "--", ".", ":(exclude)docs/results").splitlines()
    if changed:
        raise SystemExit(f"--record: commit first what was measured: {changed[0].strip()}")
    return git("rev-parse", "--short=7", "HEAD").strip()


class _Record(argparse.Action):
    """Asks before hours of measuring whether the figures could be recorded."""

    def __call__(self, _parser: Any, namespace: Any, _values: Any, _option: Any = None) -> None:
        commit(ROOT)
        setattr(namespace, self.dest, True)


def add_option(parser: argparse.ArgumentParser) -> None:
    words = "write the figures into docs/results/numbers.md"
    parser.add_argument("--record", action=_Record, nargs=0, default=False, help=words)


def command(bench: str, arguments: Sequence[str]) -> str:
    """As it was called, but without the directories of this machine."""
    words = [re.sub(r"^(--\w+=)?/.*/", r"\1…/", word) for word in arguments]
    return shlex.join([f"bench/{bench}/run.py", *words]).replace("'", "")


def record(bench: str, figures: Sequence[Figure], root: Path = ROOT) -> None:
    """Replace the part of this benchmark, and write the page."""
    path = root / "docs/results/numbers.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[bench] = {
        "command": command(bench, sys.argv[1:]),
        "day": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": commit(root),
        "machine": machine(),
        "figures": [list(figure) for figure in figures],
    }
    text = json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    (root / "docs/results/numbers.md").write_text(page(known), encoding="utf-8")


def page(known: Mapping[str, Any]) -> str:
    parts = [HEAD]
    for bench, part in sorted(known.items()):
        parts.append(
            f"\n## {bench}\n\n`{part['command']}`\n\n{part['day']}, commit {part['commit']}, on "
            f"{part['machine']}.\n\n| | is | wanted | reached |\n| --- | ---: | ---: | --- |\n"
        )
        parts += [line(Figure(*figure)) for figure in part["figures"]]
    return "".join(parts)


def line(figure: Figure) -> str:
    value = (
        f"{figure.value:.2f}".rstrip("0").rstrip(".")
        if figure.value < 100
        else (f"{figure.value:.0f}")
    )
    reached = {None: "", True: "yes", False: "**no**"}[figure.reached]
    cells = (figure.what, f"{value} {figure.unit}".strip(), figure.wanted, reached)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    (RESULTS / "numbers.md").write_text(
        page(json.loads((RESULTS / "numbers.json").read_text(encoding="utf-8"))), encoding="utf-8"
    )
