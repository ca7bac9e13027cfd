# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize a configuration that was made from the same inputs, so that it is not made again.

Kconfig asks the compiler hundreds of questions, which takes some ten seconds each time. The stamp
covers all that the answer depends on: the tree's Kconfig files and Makefiles, the tools that they
ask, the base and what was wanted. It holds only while .config is the file that was made.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# To be raised when the same input is to give another result.
FORMAT = 2

_NAMES = ("Makefile", "Kbuild")
_STARTS = ("Kconfig", "Makefile.", "localversion")
_SCRIPTS = (".sh", ".pl", ".py", ".include")
_SKIPPED = {str(tree_records.DIRECTORY), "debian", "tools"}
_TOOLS = {"CC": "gcc", "LD": "ld", "PAHOLE": "pahole", "RUSTC": "rustc", "BINDGEN": "bindgen"}

# The output of a command; empty if it cannot be run.
Output = Callable[[Sequence[str]], str]


def _is_read(directory: str, name: str) -> bool:
    return (
        name in _NAMES
        or name.startswith(_STARTS)
        or (name.endswith(_SCRIPTS) and directory.endswith(("/scripts", "/scripts/kconfig")))
    )


def tree_sha256(tree: Path) -> str:
    """One checksum over all files that Kconfig, its scripts and `localmodconfig` read."""
    total = hashlib.sha256()
    for directory, subdirectories, files in os.walk(tree):
        top = Path(directory) == tree
        subdirectories[:] = sorted(d for d in subdirectories if not (top and d in _SKIPPED))
        for name in sorted(files):
            path = Path(directory) / name
            if _is_read(directory, name) and path.is_file():
                total.update(f"{path.relative_to(tree)}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def fingerprint(
    tree: Path, wanted: Mapping[str, Any], make_args: Sequence[str], output: Output
) -> str:
    """One checksum over all that the configuration comes from."""
    given = dict(arg.split("=", 1) for arg in make_args if "=" in arg)
    tools = {
        variable: output([*given.get(variable, default).split(), "--version"])
        for variable, default in _TOOLS.items()
    }
    text = json.dumps([FORMAT, tree_sha256(tree), tools, wanted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def load(tree: Path, mark: str, config_sha256: str) -> dict[str, Any] | None:
    """What was returned when this .config was made from the same things; None if it was not."""
    try:
        stamp = bounded_read.json_object(tree / tree_records.KCONFIG)
        if stamp["fingerprint"] == mark and stamp["result"]["config_sha256"] == config_sha256:
            return dict(stamp["result"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never made, or by something else: make it
    return None


def save(tree: Path, mark: str, result: Mapping[str, Any]) -> None:
    path = tree / tree_records.KCONFIG
    workdir.make(path.parent)
    json_file.write(path, {"fingerprint": mark, "result": result})
