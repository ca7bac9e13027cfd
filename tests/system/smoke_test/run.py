#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot a stored build as its smoke test does, then with one fault after the other.

    run.py [--build DIRECTORY] [FAULT]...

The build as it is has to pass. Each fault has to fail it, with a reason that names the fault. The
faults are modules, which are compiled with the headers of the build, and changed manifests. The
kernel is not compiled, and the build in the store is not changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import boot, contents, record
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import Contents
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import CAPTURE, TRACK
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
INIT = ROOT / "files/kernel/smoke/init.c"
SOURCE = """#include <linux/module.h>
MODULE_LICENSE("GPL");
static int __init start(void)
{{
	{code}
	return 0;
}}
module_init(start);
"""


class Fault(NamedTuple):
    """What is wrong, and what the reason has to match."""

    expected: str
    #: The body of a module that is loaded.
    code: str = ""
    #: Numbers of syscalls in place of those of the manifest.
    numbers: Mapping[str, str | int] = {}
    #: Of the manifest.
    changes: Mapping[str, Any] = {}
    #: Whether one of the modules is that of another kernel.
    foreign: bool = False
    init: bool = True


FAULTS = {
    "panic": Fault(
        r"stops while loading the module panic_mod: Kernel panic - not syncing: made to stop",
        code='panic("made to stop");',
    ),
    "warn": Fault(
        r"reports while loading the module warn_mod: WARNING: .*warn_mod",
        code='WARN(1, "made to warn");',
    ),
    "oops": Fault(
        r"loading the module oops_mod ends the process .*BUG: kernel NULL pointer dereference",
        code="*(volatile int *)8 = 1;",
    ),
    "hang": Fault(
        r"loading the module hang_mod does not end within its time",
        code="for (;;) cpu_relax();",
    ),
    "refused": Fault(r"loading the module refused_mod fails: .*\(EINVAL\)", code="return -EINVAL;"),
    "vermagic": Fault(
        r"loading the module \w+ fails: .*\(ENOEXEC\).*version magic",
        foreign=True,
    ),
    "enosys": Fault(
        rf"calling the syscall {CAPTURE} \(number 500\) fails: .*ENOSYS.*"
        r"calling the syscall mine \(number 501\) fails: .*ENOSYS",
        numbers={CAPTURE: 500, "mine": 501},
    ),
    "other-syscall": Fault(rf"calling the syscall {CAPTURE} .* fails", numbers={CAPTURE: TRACK}),
    "other-name": Fault(r"sysname: expected Other, read", changes={"sysname": "Other"}),
    "other-message": Fault(r"boot message: expected 1 lines", changes={"banner": "Other\n"}),
    "no-init": Fault(r"does not reach its first program: Kernel panic", init=False),
}


def run(argv: list[str], cwd: Path) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(argv[:4])} … failed:\n{done.stdout[-800:]}{done.stderr[-800:]}")


def newest_build() -> Path:
    found = sorted(CACHE.glob("work/store/*/build.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RunError(f"no build below {CACHE}/work/store: name one with --build")
    return found[-1].parent


def compile_modules(build: Path, record_of: Mapping[str, Any], work: Path) -> dict[str, bytes]:
    """Name of a fault → its module."""
    name = f"linux-headers-{record_of['release']}"
    package = build / record_of["packages"][name]["file"]
    run(["dpkg-deb", "--extract", str(package), str(work / "headers")], work)
    directory = work / "modules"
    directory.mkdir()
    names = [f"{fault}_mod" for fault, what in FAULTS.items() if what.code]
    for fault, what in FAULTS.items():
        if what.code:
            (directory / f"{fault}_mod.c").write_text(SOURCE.format(code=what.code))
    (directory / "Makefile").write_text(f"obj-m += {' '.join(f'{one}.o' for one in names)}\n")
    tree = work / "headers/usr/src" / name
    run(["make", "-s", "-C", str(tree), f"M={directory}", "modules"], work)
    return {one: (directory / f"{one}.ko").read_bytes() for one in names}


def broken(good: Contents, name: str, modules: Mapping[str, bytes]) -> Contents:
    fault, numbers = FAULTS[name], dict(good.manifest["syscalls"])
    for call, number in fault.numbers.items():
        numbers[call] = numbers[number] if isinstance(number, str) else number
    own = dict(good.modules)
    if fault.foreign:
        first = next(iter(own))
        own[first] = re.sub(rb"vermagic=\d", b"vermagic=0", own[first])
    if fault.code:
        own[f"{name}_mod"] = modules[f"{name}_mod"]
    manifest = {**good.manifest, "syscalls": numbers, **fault.changes}
    return dataclasses.replace(good, modules=own, manifest=manifest)


def test(name: str, what: Contents, init: bytes, work: Path, expected: str) -> bool:
    """Whether the outcome is as expected; an empty text expects that it passes."""
    directory = work / name
    directory.mkdir()
    tested = boot.run(what, init, directory)
    outcome = record.of_problems(tested.problems, tested.accelerator.name)
    good = bool(re.search(expected, outcome.reason)) if expected else not outcome.reason
    log_line(f"{name}: {'as expected' if good else 'NOT AS EXPECTED'}: {outcome.result} "
             f"({outcome.accelerator}) {outcome.reason}")  # fmt: skip
    if not good:
        print(qemu.last_lines(tested.serial, 40))
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="default: all of them")
    parser.add_argument(
        "--build", type=Path, help="a build's directory (default: the lab's newest)"
    )
    options = parser.parse_args()
    unknown = [name for name in options.faults if name not in FAULTS]
    if unknown:
        parser.error(f"unknown fault {unknown[0]}; there are {', '.join(FAULTS)}")
    try:
        build = options.build or newest_build()
        described = json_file.read(build / "build.json")
        if described is None:
            raise RunError(f"{build} has no build.json")
        with tempfile.TemporaryDirectory(prefix="oslab-smoke-") as directory:
            work = Path(directory)
            init = work / "init"
            run(["gcc", "-std=gnu11", "-O2", "-static", "-o", str(init), str(INIT)], work)
            good = contents.read(build, described)
            modules = compile_modules(build, described, work)
            results = [test("no-fault", good, init.read_bytes(), work, "")]
            for name in options.faults or FAULTS:
                what = broken(good, name, modules)
                first = init.read_bytes() if FAULTS[name].init else b""
                results.append(test(name, what, first, work, FAULTS[name].expected))
    except (RunError, contents.ContentsError, boot.BootError, qemu.QemuError) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
