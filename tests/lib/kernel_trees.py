# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel trees of tests and benchmarks: patched by default, configured by a few lines."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._patch import apply
from ansible_collections.oslab.kernel.tests.lib.default_plan import default_plan

ROOT = Path(__file__).resolve().parents[2]


class TreeError(Exception):
    """The tree cannot be made so; said to the user as it is."""


def run(
    argv: Sequence[str],
    cwd: Optional[Path] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> Result:
    """A runner as those of modules: it adds to the environment, and nothing waits for input."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def patch(tree: Path, plan: Optional[apply.Plan] = None) -> apply.Outcome:
    """As the role `patch` does, by its defaults."""
    return apply.apply(tree, plan or default_plan(ROOT), run)


def plan_for(configs: Sequence[Path]) -> apply.Plan:
    """The default plan with the syscalls that these files switch on: a build leaves out none."""
    plan = default_plan(ROOT)
    lines = {line for config in configs for line in config.read_text().splitlines()}
    wanted = [call for call in plan.syscalls if f"CONFIG_{call.kconfig}=y" in lines]
    return dataclasses.replace(plan, syscalls=wanted)


# Symbols by the names that newer kernels have for them.
RENAMED = {"CFI_CLANG": "CFI"}
_LINE = re.compile(r"(?:# )?CONFIG_(\w+)(?:=.*| is not set)")


def wanted_lines(texts: Sequence[str]) -> dict[str, str]:
    """Symbol → line; a later text wins over an earlier one."""
    found = {}
    for line in "\n".join(texts).splitlines():
        match = _LINE.fullmatch(line)
        if match:
            found[match.group(1)] = line
    return found


def lost_lines(wanted: dict[str, str], have: dict[str, str]) -> list[str]:
    """The lines that a made configuration does not hold; a symbol that is absent is not set."""
    return [
        line
        for name, line in wanted.items()
        if have.get(name, f"# CONFIG_{name} is not set") != line
        and have.get(RENAMED.get(name, "")) != line.replace(name, RENAMED.get(name, name))
    ]


def configure(
    tree: Path,
    configs: Sequence[Path],
    wanted: Path,
    build: Optional[Path] = None,
    make_args: Sequence[str] = (),
) -> None:
    """allnoconfig with the lines of these files, which are kept in `wanted`; all must hold."""
    lines = wanted_lines([config.read_text() for config in configs])
    wanted.write_text("".join(f"{line}\n" for line in lines.values()))
    output = [f"O={build}"] if build else []
    argv = ["make", "-s", *make_args, *output, f"KCONFIG_ALLCONFIG={wanted}", "allnoconfig"]
    done = run(argv, tree)
    if done.status:
        raise TreeError(f"{shlex.join(argv)} failed:\n{done.both[-2000:]}")
    lost = lost_lines(lines, wanted_lines([((build or tree) / ".config").read_text()]))
    if lost:
        raise TreeError(f"this kernel does not take {', '.join(lost)}")
