#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what a kernel that boots and answers may lack, or complain of, without being noticed.

    run.py [--again] [--only RUN] [--table FILE]

A machine in QEMU has all faults of faults.py at the same time, in the boots of the new kernel
alone. It is deployed to three times by playbooks/deploy.yml, from what the lab's builder has
published (make quickstart): with the collection's defaults; with everything that can fail a host;
and with nothing of it. In the first two the host has to come back with its old kernel, and its
report to name each fault. In the last one the kernel has to be confirmed."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health
from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause
from ansible_collections.oslab.kernel.tests.lib.script import log_line
from ansible_collections.oslab.kernel.tests.system.faults.harness import (
    FAILURES,
    PLAYBOOK_SECONDS,
    Harness,
    add_harness_options,
    code,
)
from ansible_collections.oslab.kernel.tests.system.faults.machine import Faulty
from ansible_collections.oslab.kernel.tests.system.faults.modules import (
    compile_modules,
)
from ansible_collections.oslab.kernel.tests.system.faults.report import with_table
from ansible_collections.oslab.kernel.tests.system.soft_faults.faults import (
    BAD_SECTOR,
    COMPLAINTS,
    FAULTS,
    LOG,
    Soft,
)

HERE = Path(__file__).resolve().parent
CARD = "52:54:00:50:f7:01"
KINDS = ["device", "mount", "default_route", "unit", "socket", "swap", "disk", "link", "address"]
KINDS += ["route", "name_server", "module", "dkms_module", "dkms", "system"]
#: What each run deploys with, and whether a fault fails the host then.
RUNS: Mapping[str, dict[str, Any]] = {
    "defaults": {},
    "all": {
        "verify_health_required": KINDS,
        "verify_log_severities": ["fatal", "error", "warning", "notice"],
    },
    "none": {
        "verify_health_required": [],
        "verify_log_severities": [],
        "verify_log_severities_without_baseline": [],
    },
}


class Machine(Faulty):
    """With a network card and a disk that the lab's kernel has no drivers for, and a bad sector."""

    def hardware(self) -> list[str]:
        nvme, bad = (self.directory / name for name in ("nvme.qcow2", "bad.raw"))
        if not nvme.exists():
            qemu.run(["qemu-img", "create", "-q", "-f", "qcow2", str(nvme), "64M"])
            qemu.run(["qemu-img", "create", "-q", "-f", "raw", str(bad), "8M"])
        debug = {
            "driver": "blkdebug",
            "image": {"driver": "file", "filename": str(bad)},
            "inject-error": [
                {"event": "read_aio", "errno": 5, "sector": BAD_SECTOR, "once": False}
            ],
        }
        # It is the driver of a format that says what it reads.
        faulty = {"driver": "raw", "node-name": "bad", "file": debug}
        return [
            *super().hardware(),
            *("-drive", f"file={nvme},if=none,id=nvme,format=qcow2"),
            # At addresses behind those of all others, which keep their names.
            *("-device", "nvme,serial=soft,drive=nvme,addr=0x10"),
            *("-blockdev", json.dumps(faulty)),
            *("-device", "virtio-blk-pci,drive=bad,serial=bad,addr=0x11"),
            *("-netdev", "user,id=second,restrict=on"),
            *("-device", f"vmxnet3,netdev=second,mac={CARD},addr=0x12"),
        ]


class Workshop(Harness):
    """Who prepares the machine and deploys to it."""

    def machine(self, state: Path) -> Machine:
        return Machine(self.lane / "machine", state, self.accel)

    def soft_modules(self) -> list[Path]:
        place = self.work / "module"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for kind in COMPLAINTS:
            shutil.copy(HERE / "soft.c", place / f"soft_{kind}.c")
        objects = " ".join(f"soft_{kind}.o" for kind in COMPLAINTS)
        (place / "Makefile").write_text(f"obj-m := {objects}\n")
        compile_modules(place, self.repository.package("headers"), place)
        return [place / f"soft_{kind}.ko" for kind in COMPLAINTS]

    def prepare(self, host: Machine) -> None:
        """All faults, in the old kernel."""
        host.wake()
        for module in self.soft_modules():
            host.put(module, f"/root/{module.name}")
        host.put(self.btrfs(), "/root/btrfs.gz")
        for fault in FAULTS:
            log_line(f"injecting {fault.name}")
            host.shell(fault.inject, variables=self.names())
        host.shell("sync")

    def report(self, host: Machine, name: str) -> tuple[int, Mapping[str, Any]]:
        """One of RUNS: how the playbook ended, and what its report says of the host."""
        status, about = self.reported(host, name, **RUNS[name])
        log_line(f"{name}: {about['outcome']}, {about['cause'][:600]}")
        return status, about


def verdict(fault: Soft, about: Mapping[str, Any]) -> str:
    """What the report says of a fault: missing, shown, or failed."""
    found = fault.found(about)
    if not found:
        return "missing"
    return "failed" if any(one["fails"] for one in found) else "shown"


def _change(one: Mapping[str, Any]) -> dict[str, Any]:
    """A change of the report, as the verification has reported it."""
    kinds = (kind for kind in health.KINDS if one["what"].startswith(f"{kind.replace('_', ' ')} "))
    return {**one, "label": one["what"], "kind": next(kinds, "")}


def cause(fault: Soft, about: Mapping[str, Any]) -> str:
    """What the failure message would name as the cause if this fault was alone; empty if none.

    The message of a host with all faults has room for some of them.
    """
    failed = [one for one in fault.found(about) if one["fails"]]
    verified: dict[str, Any] = {"kernel_log": {"complaints": failed}}
    if fault.place != LOG:
        verified = {"health": {"changes": [_change(one) for one in failed]}}
    failure = trial_cause.Failure(trial_cause.CHECKS_TASK, "", reached=True, verified=verified)
    named = trial_cause.cause({}, failure)
    if named is None or not failed:
        return ""
    said = failed[0]["lines"][0] if fault.place == LOG else failed[0]["what"]
    return named.kind if named.kind != trial_cause.CHECK and said in named.text else ""


def wanted(fault: Soft, run: str) -> str:
    fails = {"defaults": fault.by_default, "all": True, "none": False}[run]
    return "failed" if fails else "shown"


def judge(name: str, status: int, about: Mapping[str, Any], release: str) -> list[str]:
    """What was not as it has to be."""
    problems = [
        f"{name}: {fault.name} is {found}, not {wanted(fault, name)}"
        for fault in FAULTS
        if (found := verdict(fault, about)) != wanted(fault, name)
    ]
    problems += [
        f"{name}: the cause of {fault.name} is not named"
        for fault in FAULTS
        if verdict(fault, about) == "failed" and not cause(fault, about)
    ]
    if name != "none" and "Cause: " not in about["cause"]:
        problems.append(f"{name}: the message names no cause: {about['cause']}")
    outcome, back = about["outcome"], about["release"] != release
    if name == "none":
        if status != 0 or outcome != "confirmed" or back:
            problems.append(f"{name}: the kernel was not confirmed: {outcome}, {about['cause']}")
    elif status == 0 or outcome != "not_confirmed" or not back:
        problems.append(f"{name}: the host did not come back: {outcome}, {about['release']}")
    return problems


def table(results: Mapping[str, Mapping[str, str]]) -> str:
    """For docs/results/faults.md."""
    head = ["fault", "what happens", "part of the report", *RUNS, "cause"]
    rows = [head, ["---"] * len(head)]
    for fault in FAULTS:
        place = "kernel log" if fault.place == LOG else "health"
        found = [results.get(name, {}).get(fault.name, "-") for name in RUNS]
        named = results.get("causes", {}).get(fault.name) or "-"
        rows.append([fault.name, fault.what, place, *found, named])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    day = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    return "\n".join([*lines, "", f"{len(FAULTS)} faults, {day}, {code()}."])


def run(options: argparse.Namespace, workshop: Workshop) -> list[str]:
    """All problems."""
    problems: list[str] = []
    kept = workshop.work / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    release = workshop.repository.release
    host = workshop.machine(workshop.image)
    with contextlib.closing(host):
        if options.again and (host.directory / "disk.qcow2").exists():
            host.power_on()
            host.wait(300)
        else:
            workshop.prepare(host)
        for name in options.only or RUNS:
            log_line(f"deploying with {name}")
            status, about = workshop.report(host, name)
            problems += judge(name, status, about, release)
            results[name] = {fault.name: verdict(fault, about) for fault in FAULTS}
            if name != "none":
                known = {fault.name: cause(fault, about) for fault in FAULTS}
                results["causes"] = {**results.get("causes", {}), **known}
            kept.write_text(json.dumps(results, indent=1))
            if about["release"] == release:
                # For another run: the old kernel is the default again.
                workshop.deploy(host, {}, "rollback.log", playbook="rollback.yml").wait(
                    PLAYBOOK_SECONDS
                )
        host.off()
    if options.table:
        options.table.write_text(with_table(options.table.read_text(), "soft", table(results)))
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_harness_options(parser, "soft-faults", fast=True)
    parser.add_argument("--only", choices=RUNS, action="append", help="this run; may be repeated")
    parser.add_argument("--table", type=Path, help="put the results into this document")
    options = parser.parse_args()
    try:
        (options.work / "logs").mkdir(parents=True, exist_ok=True)
        with qemu.locked(options.work / "lock", 5):
            problems = run(options, Workshop(options, "lane-0"))
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    for problem in problems:
        log_line(problem)
    log_line("not all is well" if problems else "all is well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
