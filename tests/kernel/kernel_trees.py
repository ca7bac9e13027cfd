# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel trees of tests and benchmarks: patched by default, configured by a few lines."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils import kernel_patch
from default_plan import default_plan

ROOT = Path(__file__).resolve().parents[2]


class TreeError(Exception):
    """The tree cannot be made so; said to the user as it is."""


def run(argv: Sequence[str], cwd: str) -> tuple[int, str]:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def patch(tree: Path, plan: Optional[kernel_patch.Plan] = None) -> kernel_patch.Outcome:
    """As the role `patch` does, by its defaults."""
    return kernel_patch.apply(tree, plan or default_plan(ROOT), run)


def plan_for(configs: Sequence[Path]) -> kernel_patch.Plan:
    """The default plan with the syscalls that these files switch on: a build leaves out none."""
    plan = default_plan(ROOT)
    lines = {line for config in configs for line in config.read_text().splitlines()}
    wanted = [call for call in plan.syscalls if f"CONFIG_{call.kconfig}=y" in lines]
    return dataclasses.replace(plan, syscalls=wanted)


def configure(
    tree: Path, configs: Sequence[Path], wanted: Path, build: Optional[Path] = None
) -> None:
    """allnoconfig with the lines of these files, which are kept in `wanted`; all must hold."""
    text = "".join(config.read_text() for config in configs)
    wanted.write_text(text)
    output = [f"O={build}"] if build else []
    argv = ["make", "-s", *output, f"KCONFIG_ALLCONFIG={wanted}", "allnoconfig"]
    status, said = run(argv, str(tree))
    if status:
        raise TreeError(f"{shlex.join(argv)} failed:\n{said[-2000:]}")
    have = set(((build or tree) / ".config").read_text().splitlines())
    lines = [line for line in text.splitlines() if line.startswith("CONFIG_")]
    lost = [line for line in lines if line not in have]
    if lost:
        raise TreeError(f"this kernel does not take {', '.join(lost)}")
