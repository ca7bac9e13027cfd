#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `build` against plain `make bindeb-pkg`: the same tree and configuration, both cold.

The role does more: it packages the /proc modules and the programs, fills ccache and the store.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache" / "oslab-kernel")


class Cost(NamedTuple):
    """Seconds on the clock and of the processors."""

    wall: float
    cpu: float


def machine_cpu() -> float:
    """Busy seconds of all processors: the role's compiler is not our child."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    busy = sum(int(field) for field in fields) - int(fields[3]) - int(fields[4])
    return busy / os.sysconf("SC_CLK_TCK")


def measure(argv: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path) -> Cost:
    cpu, wall = machine_cpu(), time.monotonic()
    with log.open("wb") as output:
        ended = subprocess.run(
            argv,
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise SystemExit(f"{' '.join(argv)} failed; its output is in {log}")
    return Cost(time.monotonic() - wall, machine_cpu() - cpu)


def pristine_copy(tree: Path, target: Path) -> Path:
    """The sources and the configuration, without anything that a build made."""
    shutil.copytree(
        tree, target, symlinks=True, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.a")
    )
    subprocess.run(["make", "-s", "mrproper"], cwd=target, check=True, stdout=subprocess.DEVNULL)
    shutil.copy2(tree / ".config", target / ".config")
    return target


def plain(tree: Path, jobs: int, log: Path) -> Cost:
    return measure(["make", f"-j{jobs}", "bindeb-pkg"], tree, {}, log)


def role(tree: Path, jobs: int, log: Path) -> Cost:
    variables = {
        "build_tree": str(tree),
        "build_store": str(tree.parent / "store"),
        "build_jobs": jobs,
    }
    playbook = shutil.which("ansible-playbook") or str(ROOT / ".venv/bin/ansible-playbook")
    argv = [playbook, "--inventory", "localhost,", "--extra-vars", json.dumps(variables)]
    argv.append(str(ROOT / "bench/build-phase/play.yml"))
    return measure(argv, ROOT, {}, log)


def main() -> None:
    trees = sorted((CACHE / "work" / "trees").glob("*/linux"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=trees[0] if trees else None)
    parser.add_argument("--scratch", type=Path, help="directory with room for two builds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.tree is None or not (options.tree / ".config").is_file():
        parser.error("name a configured tree with --tree; `make quickstart` makes one")

    with tempfile.TemporaryDirectory(prefix="oslab-bench-", dir=options.scratch) as directory:
        costs: dict[str, Cost] = {}
        for name, build in (("plain", plain), ("role", role)):
            tree = pristine_copy(options.tree, Path(directory) / name / "linux")
            log = Path(tempfile.gettempdir()) / f"oslab-bench-{name}.log"
            costs[name] = build(tree, options.jobs, log)
            print(
                f"{name:6} {costs[name].wall:7.0f} s wall {costs[name].cpu:7.0f} s CPU", flush=True
            )
            shutil.rmtree(tree.parent)
    wall = costs["role"].wall / costs["plain"].wall
    cpu = costs["role"].cpu / costs["plain"].cpu
    print(f"ratio  {wall:7.2f} wall   {cpu:7.2f} CPU")


if __name__ == "__main__":
    main()
