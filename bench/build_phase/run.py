#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `build` against plain `make bindeb-pkg`: the same tree and configuration, both cold.

The role does more: it packages the /proc modules and the programs, fills ccache and the store.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))

from ansible_collections.oslab.kernel.tests.lib import measure
from ansible_collections.oslab.kernel.tests.lib.measure import Cost

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache" / "oslab-kernel")


def pristine_copy(tree: Path, target: Path) -> Path:
    """The sources and the configuration, without anything that a build made."""
    shutil.copytree(
        tree, target, symlinks=True, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.a")
    )
    subprocess.run(["make", "-s", "mrproper"], cwd=target, check=True, stdout=subprocess.DEVNULL)
    shutil.copy2(tree / ".config", target / ".config")
    return target


def main() -> None:
    trees = sorted((CACHE / "work" / "trees").glob("*/linux"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=trees[0] if trees else None)
    parser.add_argument("--scratch", type=Path, help="directory with room for two builds")
    parser.add_argument("--jobs", type=int, default=measure.default_jobs())
    options = parser.parse_args()
    if options.tree is None or not (options.tree / ".config").is_file():
        parser.error("name a configured tree with --tree; `make quickstart` makes one")

    with tempfile.TemporaryDirectory(prefix="oslab-bench-", dir=options.scratch) as directory:
        costs: dict[str, Cost] = {}
        for name, build in (("plain", measure.plain), ("role", measure.role)):
            tree = pristine_copy(options.tree, Path(directory) / name / "linux")
            log = Path(tempfile.gettempdir()) / f"oslab-bench-{name}.log"
            costs[name] = build(tree, options.jobs, log)
            print(
                f"{name:6} {costs[name].wall:7.0f} s wall {costs[name].cpu:7.0f} s CPU", flush=True
            )
            shutil.rmtree(tree.parent)
    ratio = costs["role"].over(costs["plain"])
    print(f"ratio  {ratio.wall:7.2f} wall   {ratio.cpu:7.2f} CPU")


if __name__ == "__main__":
    main()
