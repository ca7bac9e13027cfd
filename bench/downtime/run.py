#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a host is down for a trial boot: by kexec, and by a full reboot, under UEFI.

    run.py [--again] [--rounds N] [--record]

The machine of tests/system/systemd_boot, under OVMF, deploys what `make quickstart` has published,
by turns with and without kexec. In between, rollback.yml takes it back.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))

from ansible_collections.oslab.kernel.bench import figures
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.plugin_utils import boot_stages
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults.firmware import PLAIN
from ansible_collections.oslab.kernel.tests.system.faults.harness import add_harness_options
from ansible_collections.oslab.kernel.tests.system.systemd_boot.run import Visit, Workshop

HERE = Path(__file__).resolve().parent
WAYS = {"full reboot": False, "kexec": True}


def deploy(visit: Visit, kexec: bool, result: Path) -> dict[str, Any]:
    """The fact trial_result of a deployment. Raises RunError if it fails, or was no kexec."""
    result.unlink(missing_ok=True)
    run = visit.play(
        "deploy.yml",
        trial_kexec=kexec,
        deploy_after=str(HERE / "record.yml"),
        bench_result=str(result),
        preflight_other_variables=["bench_result"],
    )
    if run.status != 0 or not result.exists():
        raise RunError(f"a deployment failed: {visit.message or run.text()[-2000:]}")
    found: dict[str, Any] = json.loads(result.read_text())
    if kexec and "firmware" in found["stages"]:
        raise RunError("the host was rebooted in full: kexec was refused")
    return found


def measure(workshop: Workshop, again: bool, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """What each deployment of each way found."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    host = workshop.machine(workshop.image)
    with contextlib.closing(host):
        if again and workshop.prepared.is_dir():
            host.directory.mkdir(parents=True, exist_ok=True)
            host.copy(workshop.prepared, host.directory)
        else:
            workshop.prepare(host)
        host.efi = True
        host.power_on()
        host.wait(600)
        visit = Visit(workshop, "downtime", host)
        visit.put_kexec()
        visit.shell("tar -C / --keep-directory-symlink -xf /root/kexec.tar; ldconfig; sync")
        # The first deployment installs the packages, and is not measured.
        deploy(visit, False, workshop.work / "result.json")
        for number in range(rounds):
            for way, kexec in WAYS.items():
                if visit.play("rollback.yml").status != 0:
                    raise RunError(f"a rollback failed: {visit.message}")
                found[way].append(deploy(visit, kexec, workshop.work / "result.json"))
                log_line(f"{number + 1}: {way}: {found[way][-1]['downtime']} s")
        host.off()
    return found


def summarized(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[figures.Figure]:
    """Medians of the downtimes and their stages, and the ratio."""
    rows = []
    for way, results in found.items():
        rows.append(figures.Figure(f"{way}: down", median(r["downtime"] for r in results), "s"))
        for name, words in boot_stages.NAMES.items():
            seconds = [r["stages"][name] for r in results if name in r["stages"]]
            if seconds:
                rows.append(figures.Figure(f"{way}: {words}", round(median(seconds), 1), "s"))
    full, kexec = (median(r["downtime"] for r in found[way]) for way in WAYS)
    return [*rows, figures.Figure("kexec over full reboot", round(kexec / full, 2))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_harness_options(parser, "downtime", fast=True)
    parser.add_argument("--rounds", type=int, default=3, help="deployments of each way")
    figures.add_option(parser)
    options = parser.parse_args()
    if not PLAIN.code.exists():
        print(f"there is no {PLAIN.code}: apt install ovmf", file=sys.stderr)
        return 1
    (options.work / "logs").mkdir(parents=True, exist_ok=True)
    with qemu.locked(options.work / "lock", 5):
        found = measure(Workshop(options, "lane-0"), options.again, options.rounds)
    rows = summarized(found)
    for row in rows:
        print(f"{row.what:50} {row.value:8} {row.unit}")
    if options.record:
        figures.record("downtime", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
