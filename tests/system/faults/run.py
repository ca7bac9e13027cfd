#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do to a host whatever may happen to it while it gets a new kernel, and see that it is not lost.

    run.py [--fast] [--again] [--once] [--alone | --here | --host HOST] [NAME]...

A machine in QEMU, made of the lab's image, boots through its own GRUB and is deployed to by
playbooks/deploy.yml from what the lab's builder has published (make quickstart, or --published).
For each fault of table.py a fresh one: the fault is injected, the playbook runs, and the host has
to come back by itself with the kernel that the table names, with ssh, and a default that boots.
Then the fault is taken away and the playbook runs once more: the new kernel has to run, confirmed,
and dpkg has nothing left to do. With --chain, faults that leave a host as it was follow each other
on one, and there is one such run in the end; with --fast or --once, none. With --alone, the
controller is dead before the trial starts, and the host has to come back all the same. With --here,
the host has deployed to itself: it verifies and confirms the kernel, or comes back, by itself. With
--host, it has other disks, other firmware, or is hardened; the kernel has to have what that needs
(make test-hosts)."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import queue
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.system.faults.harness import (
    CACHE,
    FAILURES,
    REPOSITORIES,
    add_suite,
    published,
)
from ansible_collections.oslab.kernel.tests.system.faults.hosts.host import HOSTS
from ansible_collections.oslab.kernel.tests.system.faults.machine import MACHINES
from ansible_collections.oslab.kernel.tests.system.faults.report import (
    Outcome,
    earlier,
    load,
    markdown,
    plain,
    together,
    with_table,
)
from ansible_collections.oslab.kernel.tests.system.faults.rows import Rows, results
from ansible_collections.oslab.kernel.tests.system.faults.table import (
    ON_DKMS,
    ON_HOST,
    ON_OTHERS,
    ROWS,
    STOCK,
    Fault,
    chains,
    chosen,
)


def end(signum: int, _frame: object) -> None:
    """Without waiting for the threads, of which each waits for its machine."""
    for machine in MACHINES.values():
        machine.close()
    os._exit(128 + signum)


def run_all(options: argparse.Namespace, faults: list[Fault]) -> list[Outcome]:
    """Each by whoever is free; much of a fault's time is waiting."""
    free: queue.Queue[Rows] = queue.Queue()
    for number in range(options.jobs):
        free.put(Rows(options, f"lane-{number}"))

    def some(chain: list[Fault]) -> list[Outcome]:
        harness = free.get()
        try:
            return [] if options.late() else harness.run(chain)
        finally:
            free.put(harness)

    groups = [[fault] for fault in faults]
    if options.fast:
        # On the only host, what a deployment does not get through comes before the one that does.
        groups = [sorted(faults, key=lambda fault: fault.state != STOCK)]
    elif options.chain and not options.alone:
        groups = chains(faults)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return [outcome for outcomes in pool.map(some, groups) for outcome in outcomes]


def parsed() -> argparse.Namespace:
    """The options; some defaults depend on others."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a fault; all if there is none")
    parser.add_argument(
        "--fast",
        action="store_true",
        help="three that need no more than a stock host, without the second deployment",
    )
    parser.add_argument("--again", action="store_true", help="on the states of the last run")
    parser.add_argument(
        "--once",
        action="store_true",
        help="without the second deployment: in --table, a row keeps that of an earlier run",
    )
    parser.add_argument(
        "--alone", action="store_true", help="no control node during the trial boot"
    )
    parser.add_argument(
        "--here", action="store_true", help="the host is its own control node; implies --alone"
    )
    parser.add_argument(
        "--host", choices=list(HOSTS), default="", help="another one than the lab's"
    )
    add_suite(parser)
    parser.add_argument("--list", action="store_true", help="name the faults, and end")
    parser.add_argument(
        "--show", action="store_true", help="print the results of earlier runs and end"
    )
    parser.add_argument(
        "--no-rollback-timer", action="store_true", help="with the rollback timer masked"
    )
    parser.add_argument("--jobs", type=int, default=1, help="machines at a time (%(default)s)")
    parser.add_argument(
        "--chain",
        action="store_true",
        help="those after which a host is as before on one machine, one after the other, "
        "and one second deployment for all of these",
    )
    parser.add_argument(
        "--budget",
        type=int,
        metavar="SECONDS",
        help="begin no further fault after that",
    )
    parser.add_argument(
        "--wait",
        type=int,
        default=900,
        help="seconds until a host counts as lost (%(default)s)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        help=f"states, logs and results ({CACHE}/faults; with --fast, faults-fast)",
    )
    parser.add_argument(
        "--published",
        type=Path,
        help="what is deployed (the lab's repository or Molecule's, whichever is newer)",
    )
    parser.add_argument(
        "--store", type=Path, default=CACHE / "work/store", help="of its builds (%(default)s)"
    )
    parser.add_argument("--table", type=Path, help="put results here; other rows stay")
    options = parser.parse_args()
    # States lie over each other; the fast ones are never those that another run is at.
    options.alone = options.alone or options.here
    if options.host and (options.alone or options.fast):
        parser.error("--host goes without --alone, --here and --fast")
    options.published = options.published or (
        REPOSITORIES / "repository-hosts" if options.host else published()
    )
    place = "faults-fast" if options.fast else "faults"
    if options.host:
        place = f"faults-{options.host}-{options.suite}"
    options.work = options.work or CACHE / place
    return options


def main() -> int:
    options = parsed()
    started = time.monotonic()
    options.late = lambda: bool(options.budget and time.monotonic() - started > options.budget)
    faults = chosen(options.names, options.fast, options.alone, options.here, options.host)
    if options.list:
        for fault in faults:
            print(f"{fault.name:24}{fault.what}")
        return 0
    try:
        if options.show:
            outcomes = load(options.work / results(options), [fault.name for fault in faults])
        else:
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, end)
            (options.work / "logs").mkdir(parents=True, exist_ok=True)
            with qemu.locked(options.work / "lock", 5):
                Rows(options, "lane-0").have_states({fault.state for fault in faults})
                outcomes = run_all(options, faults)
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    print(plain(outcomes))
    if options.table:
        names = [fault.name for fault in (*ON_HOST, *ON_OTHERS, *ON_DKMS, *ROWS)]
        text = options.table.read_text()
        place = results(options)
        known = together(names, load(options.work / place, names), earlier(text, place))
        options.table.write_text(with_table(text, place, markdown(known)))
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
