# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs, and the role `build` as playbooks/build.yml calls it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.tests.lib.playbook import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
PLAY = ROOT / "bench" / "build_phase" / "play.yml"


class Cost(NamedTuple):
    """Seconds on the clock and of the processors."""

    wall: float
    cpu: float

    def over(self, other: Cost) -> Cost:
        return Cost(self.wall / other.wall, self.cpu / other.cpu)


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(argv: Sequence[str], cwd: Path, log: Path) -> Cost:
    """Of this command and its children, whatever else the machine does."""
    cpu, wall = children_cpu(), time.monotonic()
    with log.open("wb") as output:
        ended = subprocess.run(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if ended.returncode:
        raise SystemExit(f"{' '.join(argv)} failed; its output is in {log}")
    return Cost(time.monotonic() - wall, children_cpu() - cpu)


def plain(tree: Path, jobs: int, log: Path) -> Cost:
    """The kernel's own packages."""
    return measure(["make", f"-j{jobs}", "bindeb-pkg"], tree, log)


def role(tree: Path, jobs: int, log: Path, **variables: Any) -> Cost:
    """The store and ccache are beside the tree."""
    given = {
        "build_tree": str(tree),
        "build_store": str(tree.parent / "store"),
        "build_jobs": jobs,
        **variables,
    }
    argv = [PROGRAM, "--inventory", "localhost,", "--extra-vars", json.dumps(given), str(PLAY)]
    cost = measure(argv, ROOT, log)
    # The compiler's work is not done by our children: the build says what it took.
    records = (tree.parent / "store").glob("*/build.json")
    newest = max(records, key=lambda path: path.stat().st_mtime)
    made = json.loads(newest.read_text(encoding="utf-8"))
    return Cost(cost.wall, cost.cpu + made["cpu_seconds"])


def default_jobs() -> int:
    return len(os.sched_getaffinity(0))
