#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing is changed: what the role `build` takes over plain `make bindeb-pkg` of that change.

    run.py [CASE]...

    cold          the whole build, everything empty (the other cases need it once)
    deleted       the tree is deleted, ccache is warm: over the role's cold build
    banner        another boot message
    extraversion  another EXTRAVERSION
    option        one more module in the configuration

Two trees of the same source and configuration get the same changes; one is built by the role, the
other by make. The role does more: it packages the /proc modules and the programs, checks, lists
and stores. Without a CASE all of them run, in this order. Trees and costs are kept in --work, so
that cases can be run one at a time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))

from ansible_collections.oslab.kernel.bench import figures
from ansible_collections.oslab.kernel.tests.integration.reproduce import run as reproduce
from ansible_collections.oslab.kernel.tests.lib import kernel_trees, measure
from ansible_collections.oslab.kernel.tests.lib.default_plan import default_plan
from ansible_collections.oslab.kernel.tests.lib.measure import Cost

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache" / "oslab-kernel")
CASES = ("cold", "deleted", "banner", "extraversion", "option")
TARGETS = {"banner": 1.3, "extraversion": 1.3, "option": 1.3, "deleted": 0.35}
OPTION = "ISO9660_FS"  # as a module


class Bench:
    def __init__(self, work: Path, jobs: int) -> None:
        self.work = work
        self.jobs = jobs
        self.costs_file = work / "costs.json"
        # Never built: what the role's tree is made of again.
        self.stock, self.made, self.role = (
            work / name / "linux" for name in ("stock", "plain", "role")
        )

    def costs(self) -> dict[str, dict[str, Cost]]:
        if not self.costs_file.exists():
            return {}
        read = json.loads(self.costs_file.read_text())
        return {case: {k: Cost(*v) for k, v in both.items()} for case, both in read.items()}

    def keep(self, case: str, **costs: Cost) -> None:
        self.costs_file.write_text(json.dumps({**self.costs(), case: costs}, indent=1))
        for who, cost in costs.items():
            print(f"{case:13} {who:5} {cost.wall:7.1f} s wall {cost.cpu:7.1f} s CPU", flush=True)

    def log(self, case: str, who: str) -> Path:
        return self.work / f"{case}-{who}.log"

    def prepare(self, source: Path, config: Path) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        reproduce.have_tree(source, self.stock)
        kernel_trees.patch(self.stock)
        kernel_trees.configure(self.stock, [config], self.work / "wanted.config")
        for tree in (self.made, self.role):
            self.copy_stock(tree)

    def copy_stock(self, tree: Path) -> None:
        tree.parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "--archive", str(self.stock), str(tree)], check=True)

    def both(self, case: str) -> None:
        made = measure.plain(self.made, self.jobs, self.log(case, "plain"))
        role = measure.role(self.role, self.jobs, self.log(case, "role"))
        self.keep(case, plain=made, role=role)

    def change(self, case: str) -> None:
        """The same in each tree, as the roles version, patch and config make it."""
        for tree in (self.stock, self.made, self.role):
            getattr(self, f"change_{case}")(tree)

    def change_banner(self, tree: Path) -> None:
        usual = default_plan(ROOT)
        plan = dataclasses.replace(usual, banner=f"{usual.banner}\nOne more line")
        if not kernel_trees.patch(tree, plan).changed:
            raise SystemExit(f"{tree} has the other banner already: run the case cold again")

    def change_extraversion(self, tree: Path) -> None:
        makefile = tree / "Makefile"
        lines = makefile.read_text().splitlines(keepends=True)
        number = next(i for i, line in enumerate(lines) if line.startswith("EXTRAVERSION ="))
        lines[number] = lines[number].rstrip() + "-more\n"
        makefile.write_text("".join(lines))

    def change_option(self, tree: Path) -> None:
        subprocess.run(["scripts/config", "--module", OPTION], cwd=tree, check=True)
        subprocess.run(
            ["make", "-s", "olddefconfig"], cwd=tree, check=True, stdout=subprocess.DEVNULL
        )
        if f"CONFIG_{OPTION}=m\n" not in (tree / ".config").read_text():
            raise SystemExit(f"{tree} does not take CONFIG_{OPTION}")

    def deleted(self) -> None:
        # Every object includes autoconf.h, with the whole configuration and the EXTRAVERSION in it,
        # so ccache has none for others.
        if {"option", "extraversion"} & self.costs().keys():
            raise SystemExit("the configuration is not the cold build's any more: run cold again")
        shutil.rmtree(self.role)
        shutil.rmtree(self.role.parent / "linux.build")
        self.copy_stock(self.role)
        log = self.log("deleted", "role")
        self.keep("deleted", role=measure.role(self.role, self.jobs, log, build_force=True))

    def run(self, case: str, source: Path, config: Path) -> None:
        if case == "cold":
            self.prepare(source, config)
            self.both(case)
        elif case == "deleted":
            self.deleted()
        else:
            self.change(case)
            self.both(case)

    def summary(self) -> tuple[bool, list[figures.Figure]]:
        found = []
        costs = self.costs()
        for case, both in costs.items():
            base = costs["cold"]["role"] if case == "deleted" else both["plain"]
            ratio = both["role"].over(base)
            target = TARGETS.get(case)
            asked = f"   asked: {target}" if target else ""
            print(f"{case:13} ratio {ratio.wall:7.2f} wall   {ratio.cpu:7.2f} CPU{asked}")
            reached = None if target is None else ratio.wall <= target
            what = f"{case}: the role over {'its cold build' if case == 'deleted' else 'make'}"
            wanted = f"≤ {target:g}" if target else ""
            found.append(figures.Figure(what, round(ratio.wall, 2), "", wanted, reached))
        return all(figure.reached is not False for figure in found), found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--source", type=Path, help="tarball or unmodified tree (Debian's newest)")
    parser.add_argument("--config", type=Path, default=HERE / "small.config")
    parser.add_argument("--work", type=Path, default=CACHE / "bench-incremental")
    parser.add_argument("--jobs", type=int, default=measure.default_jobs())
    figures.add_option(parser)
    options = parser.parse_args()
    cases = options.cases or list(CASES)
    if set(cases) - set(CASES):
        parser.error(f"cases are {', '.join(CASES)}")
    bench = Bench(options.work.resolve(), options.jobs)
    if "cold" not in cases and "cold" not in bench.costs():
        parser.error("run the case cold first")
    source = options.source or reproduce.find_source()
    for case in cases:
        bench.run(case, source, options.config.resolve())
    good, found = bench.summary()
    if options.record:
        figures.record("incremental", found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
