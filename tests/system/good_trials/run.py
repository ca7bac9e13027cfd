#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a good kernel again and again: each trial boot has to be confirmed.

    run.py [--again] [--suite SUITE] [--published REPOSITORY] [--count N] [--show] [--table FILE]

A machine in QEMU, made of the lab's image, has the packages that the lab's builder has published
(make quickstart, or --published). It is deployed to N times from there, each time as if it were the
first. A trial that is not confirmed is a false alarm. Results of several systems and kernels, each
with a --work of its own, and of several runs come together in one file (--results)."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib.script import log_line
from ansible_collections.oslab.kernel.tests.system.faults.harness import (
    CACHE,
    FAILURES,
    Harness,
    add_harness_options,
    code,
)
from ansible_collections.oslab.kernel.tests.system.faults.report import with_table
from ansible_collections.oslab.kernel.tests.system.faults.table import INSTALLED, STOCK

HEAD = ("system", "kernel", "trials", "confirmed", "shown, and failed nothing", "observed")


class Good(Harness):
    """Who deploys a kernel that nothing is wrong with."""

    def have_installed(self) -> str:
        """The machine before its trial boot; returns what its system is called."""
        names = STOCK, INSTALLED
        version = self.repository.description["version"]
        made = self.state(INSTALLED) / "version"
        if not (self.options.again and made.exists() and made.read_text() == version):
            for name in names:
                shutil.rmtree(self.state(name), ignore_errors=True)
            self.make_stock()
            self.make_installed()
            made.write_text(version)
        with self.awake(self.state(INSTALLED)) as host:
            return host.shell('. /etc/os-release; echo "$NAME $VERSION_ID"').strip()

    def trial(self, number: int) -> Mapping[str, Any]:
        """One; what the report says of the host."""
        with self.awake(self.state(INSTALLED)) as host:
            status, about = self.reported(host, f"{number}")
            problems = [] if status == 0 else [f"{about['outcome']}: {about['cause']}"]
            # Whatever the report says: what runs, and what would run next.
            problems += self.finished(host.look())[0]
            if problems:
                (self.work / "logs" / f"{number}.serial.log").write_text(host.serial())
        observed = f"{time.strftime('%F')}, {code()}"
        return {"problems": problems, "shown": shown(about), "observed": observed}


def shown(about: Mapping[str, Any]) -> list[str]:
    """What the trial boot lacked or complained of, by the report."""
    lost = [one["what"] for one in about["health"]["changes"] if one["state"] == "lost"]
    complaints = about["log"]["complaints"]
    said = [one["lines"][0][:100] for one in complaints if one["state"] == "new"]
    return [*lost, *said]


def row(results: Mapping[str, Any]) -> list[str]:
    """Of one system and kernel."""
    trials = results["trials"]
    good = sum(1 for one in trials if not one["problems"])
    found = sorted({text for one in trials for text in one["shown"]})
    about = "; ".join(found) or "-"
    return [
        *(results["system"], results["release"], str(len(trials)), str(good)),
        *(about.replace("|", " "), "; ".join(sorted({one["observed"] for one in trials}))),
    ]


def table(all_results: Mapping[str, Any]) -> str:
    rows = [list(HEAD), ["---"] * len(HEAD), *(row(one) for one in all_results.values())]
    trials = [trial for one in all_results.values() for trial in one["trials"]]
    failed = sum(1 for one in trials if one["problems"])
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([*lines, "", f"{len(trials)} trials, {failed} not confirmed.", ""])


def run(options: argparse.Namespace, good: Good) -> list[str]:
    """All problems."""
    system, release = good.have_installed(), good.repository.release
    kept: Path = options.results
    results = json.loads(kept.read_text()) if kept.exists() else {}
    name = f"{system} {release}"
    results.setdefault(name, {"system": system, "release": release, "trials": []})
    problems: list[str] = []
    for number in range(1, options.count + 1):
        started = time.monotonic()
        one = good.trial(number)
        results[name]["trials"].append(one)
        problems += one["problems"]
        log_line(f"{number}: {one['problems'] or 'confirmed'}, {time.monotonic() - started:.0f} s")
        # Who is interrupted loses none.
        kept.write_text(json.dumps(results, indent=1))
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_harness_options(parser, "good-trials", fast=True)
    parser.add_argument("--count", type=int, default=12, help="trials (%(default)s)")
    parser.add_argument(
        "--results", type=Path, default=CACHE / "good-trials.json", help="(%(default)s)"
    )
    parser.add_argument("--show", action="store_true", help="print the results so far, and end")
    parser.add_argument("--table", type=Path, help="put the results into this document")
    options = parser.parse_args()
    problems: list[str] = []
    try:
        if not options.show:
            (options.work / "logs").mkdir(parents=True, exist_ok=True)
            with qemu.locked(options.work / "lock", 5):
                problems = run(options, Good(options, "lane-0"))
        text = table(json.loads(options.results.read_text()))
    except (*FAILURES, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(text)
    if options.table:
        options.table.write_text(with_table(options.table.read_text(), "good", text))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
