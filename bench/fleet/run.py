#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What deploying to a fleet costs the control node: per host, and with other settings.

The targets are loopback addresses of this machine; target.py says what of them is not real. First
the same is done to a small and to a large fleet; then, to one of another size, with one setting
changed at a time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))

from ansible_collections.oslab.kernel.bench import figures
from ansible_collections.oslab.kernel.bench.fleet.cost import Cost, measure
from ansible_collections.oslab.kernel.bench.fleet.simulation import (
    HERE,
    ROOT,
    Fleet,
    enter_network,
    need_what_is_needed,
)
from ansible_collections.oslab.kernel.tests.lib.playbook import PROGRAM

# Of a fleet that has never been touched, in this order.
PHASES = {
    "deploy": ("playbooks/deploy.yml",),
    "verify": ("playbooks/verify.yml",),
    "deploy again": ("playbooks/deploy.yml",),
    # What site.yml does on targets where nothing changes.
    "daily": ("playbooks/deploy.yml", "playbooks/verify.yml"),
}

# How much dearer a host of the large fleet may be: what a busy machine makes of equal work.
TOLERANCE = 1.15

# Settings of a fleet.
SETTINGS = ROOT / "docs/examples/ansible.cfg"


class Variant(NamedTuple):
    """Other settings than those of SETTINGS."""

    environment: Mapping[str, str] = {}
    #: Subset of facts that is gathered first.
    facts: str = ""


VARIANTS = {
    "as it is": Variant(),
    "forks 5": Variant({"ANSIBLE_FORKS": "5"}),
    "forks 20": Variant({"ANSIBLE_FORKS": "20"}),
    "forks 100": Variant({"ANSIBLE_FORKS": "100"}),
    "no pipelining": Variant({"ANSIBLE_PIPELINING": "False"}),
    "ssh kept 1 s": Variant({"ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=1s"}),
    "strategy free": Variant({"ANSIBLE_STRATEGY": "free"}),
    "facts: min": Variant(facts="!all"),
    "facts: all": Variant(facts="all"),
}


def play(fleet: Fleet, books: Sequence[str], variant: Variant, log: Path) -> Cost:
    chosen = [str(HERE / "facts.yml")] if variant.facts else []
    argv = [PROGRAM, "--inventory", str(fleet.inventory), *chosen, *books]
    if variant.facts:
        argv += ["--extra-vars", f"bench_subset={variant.facts}"]
    environment = {
        "ANSIBLE_CONFIG": str(SETTINGS),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(fleet.work / "sockets"),
        "ANSIBLE_NOCOLOR": "1",
        **variant.environment,
    }
    before = fleet.logins()
    cost = measure(argv, log, ROOT, environment, fleet.size)
    return cost._replace(logins=fleet.logins() - before)


def fleet_cost(work: Path, size: int, phases: Sequence[str]) -> dict[str, Cost]:
    fleet = Fleet(work, size, done="deploy" not in phases)
    with fleet.reachable():
        return {
            phase: play(fleet, PHASES[phase], Variant(), work / f"{phase}.log") for phase in phases
        }


def show_sizes(
    small: int, large: int, phases: Sequence[str], work: Path
) -> tuple[bool, list[figures.Figure]]:
    """Whether a host of the large fleet costs no more than one of the small, give or take."""
    print(f"{'':14}{'':>6}{'':>7}{'':>8}{'ms of CPU, for each':>25}{'logins':>9}{'MiB':>18}")
    print(f"{'':14}{'hosts':>6}{'s':>7}{'CPU s':>8}{'host':>8}{'serial':>9}{'task':>8}", end="")
    print(f"{'a host':>9}{'main':>9}{'all':>9}   tasks of a host, skipped", flush=True)
    costs = {}
    for size in (small, large):
        costs[size] = fleet_cost(work / f"size-{size}", size, phases)
        for phase, cost in costs[size].items():
            print(f"{phase:14}{size:6}{cost.wall:7.0f}{cost.cpu:8.0f}", end="")
            print(f"{1000 * cost.cpu / size:8.0f}{1000 * cost.serial / size:9.0f}", end="")
            print(f"{1000 * cost.cpu / cost.tasks:8.0f}{cost.logins / size:9.1f}", end="")
            print(f"{cost.main:9.0f}{cost.all:9.0f}", end="")
            print(f"{cost.tasks / size:9.1f}{cost.skipped / size:7.1f}", flush=True)
    print(f"\nA host among {large} over a host among {small}:")
    good = True
    found = []
    for phase in phases:
        one, other = costs[small][phase], costs[large][phase]
        time = (other.cpu / large) / (one.cpu / small)
        serial = (other.serial / large) / (one.serial / small)
        memory = (other.all / large) / (one.all / small)
        more = (other.main - one.main) / (large - small)
        good = good and max(time, memory) < TOLERANCE
        print(f"  {phase:14} CPU {time:.2f}, serial {serial:.2f}, memory {memory:.2f}", end="")
        print(f"; {more:.2f} MiB for each more in the one process")
        for size, cost in ((small, one), (large, other)):
            of_host = f"{phase}, {size} hosts: a host"
            found += [
                figures.Figure(f"{of_host}, CPU", round(cost.cpu / size, 2), "s"),
                figures.Figure(f"{of_host}, tasks", round(cost.tasks / size, 1)),
                figures.Figure(f"{of_host}, tasks skipped", round(cost.skipped / size, 1)),
            ]
        what = f"{phase}: CPU of a host among {large} over one among {small}"
        found.append(figures.Figure(what, round(time, 2), "", "≤ 1.05", time <= 1.05))
    return good, found


def show_variants(
    size: int, module: float, reboot: float, names: Sequence[str], work: Path
) -> None:
    print(f"\n{size} hosts; a module takes {module} s on each, a reboot {reboot} s:")
    print(
        f"{'':16}{'s':>7}{'CPU s':>8}{'logins':>8}{'all MiB':>9}{'time':>8}{'CPU':>7}{'memory':>8}",
        flush=True,
    )
    first: Cost | None = None
    for name in names:
        here = work / f"variant-{list(VARIANTS).index(name)}"
        fleet = Fleet(here, size, module_seconds=module, reboot_seconds=reboot)
        with fleet.reachable():
            cost = play(fleet, PHASES["deploy"], VARIANTS[name], here / "deploy.log")
        first = first or cost
        print(f"{name:16}{cost.wall:7.0f}{cost.cpu:8.0f}{cost.logins:8}{cost.all:9.0f}", end="")
        print(f"{cost.wall / first.wall:8.2f}{cost.cpu / first.cpu:7.2f}", end="")
        print(f"{cost.all / first.all:8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sizes", nargs=2, type=int, default=[50, 200], metavar="HOSTS")
    parser.add_argument("--phases", nargs="+", default=list(PHASES), choices=list(PHASES))
    parser.add_argument("--variant-size", type=int, default=40, metavar="HOSTS")
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--module-seconds", type=float, default=0.3)
    parser.add_argument("--reboot-seconds", type=float, default=20)
    parser.add_argument("--only", choices=["sizes", "variants"])
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    figures.add_option(parser)
    options = parser.parse_args()
    need_what_is_needed()
    enter_network()
    work = Path(tempfile.mkdtemp(prefix="oslab-fleet-"))
    work.chmod(0o755)
    good = True
    try:
        if options.only != "variants":
            small, large = options.sizes
            good, found = show_sizes(small, large, options.phases, work)
            if options.record:
                figures.record("fleet", found)
        if options.only != "sizes":
            show_variants(
                options.variant_size,
                options.module_seconds,
                options.reboot_seconds,
                options.variants,
                work,
            )
    except SystemExit:
        options.keep = True
        raise
    finally:
        if options.keep:
            print(f"The logs are in {work}")
        else:
            shutil.rmtree(work)
    if not good:
        raise SystemExit("A host costs more the more hosts there are.")


if __name__ == "__main__":
    main()
