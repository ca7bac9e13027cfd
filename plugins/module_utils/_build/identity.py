# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a build: one hash over everything that decides what comes out of it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    kernel_config,
)

# Raise it when this collection makes something else out of the same inputs.
FORMAT = 2

LEFT_BY_MAKE = (".o", ".ko", ".mod", ".mod.c", "modules.order", "Module.symvers")


class InputError(Exception):
    """An input of the build is missing or wrong; the message says what to do."""


@dataclass(frozen=True)
class Inputs:
    """All that decides what is built. Two equal ones give the same packages."""

    machine: str  # Debian's name of the architecture
    version: str  # 6.12.117, without EXTRAVERSION
    release: str  # what `uname -r` will say
    source_sha256: str
    source_date_epoch: int
    patch_sha256: str  # empty: the tree is not patched
    config_sha256: str
    toolchain: dict[str, str]  # program → the version it states
    modules_sha256: str  # empty: no modules of our own
    tools_sha256: str
    make_args: list[str]
    debug_package: bool
    stated_sha256: str  # what the manifest says, which is in a package too
    format: int = FORMAT

    @property
    def build_id(self) -> str:
        return json_sha256(asdict(self))


def json_sha256(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def parse_config(text: str) -> dict[str, str]:
    """Symbol, as Makefiles name it (CONFIG_X) → value as written; `n` for what is not set."""
    return {f"CONFIG_{name}": value for name, value in kernel_config.parse(text).items()}


def config_sha256(config: dict[str, str]) -> str:
    """Of the values alone: comments and their order make no difference."""
    lines = (f"{name}={value}\n" for name, value in sorted(config.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def left_by_make(name: str) -> bool:
    """Whether it is what a build by hand leaves beside the sources."""
    return name.endswith(LEFT_BY_MAKE) or (name.startswith(".") and name.endswith(".cmd"))


def directory_sha256(directory: Path) -> str:
    """Of the names, modes and contents of the sources in it."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or left_by_make(path.name):
            continue
        name = path.relative_to(directory).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content} {os.access(path, os.X_OK):d} {name}\n".encode())
    return digest.hexdigest()
