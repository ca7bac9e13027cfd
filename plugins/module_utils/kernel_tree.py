# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a kernel's source so that a tree is there whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils.checksum import file_sha256
from ansible_collections.oslab.kernel.plugins.module_utils.source_archive import (
    ArchiveError,
    checked,
    decompressed,
)
from ansible_collections.oslab.kernel.plugins.module_utils.source_openpgp import Feed

STATE = Path(".oslab", "source.json")
MAX_SIZE = 4 << 30


class TreeError(Exception):
    """The tarball is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Unpacked:
    changed: bool
    state: dict[str, Any]


def makefile_version(text: str) -> str:
    """VERSION.PATCHLEVEL.SUBLEVEL of a kernel's top Makefile."""
    parts = []
    for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"):
        match = re.search(rf"^{name}[ \t]*=[ \t]*([0-9]+)[ \t]*$", text, re.MULTILINE)
        if not match:
            raise TreeError(f"the top Makefile has no line '{name} = …': not a kernel's source")
        parts.append(match.group(1))
    return ".".join(parts)


def version_matches(found: str, wanted: str) -> bool:
    """Is the tree's version (always three numbers) the wanted one? 6.8 means 6.8.0.

    A distribution's 6.12 stands for whatever stable release it ships, so two wanted numbers match
    any third.
    """
    numbers = re.sub(r"-rc[0-9]+$", "", wanted).split(".")
    return found.split(".")[: len(numbers)] == numbers


def read_state(tree: Path) -> dict[str, Any]:
    """What the tree was unpacked from; empty if it is not there or not ours."""
    try:
        state = json.loads((tree / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def unpack(
    tarball: Path,
    tree: Path,
    feed: Feed,
    *,
    sha256: str,
    version: str,
    provider: str,
    signed_by: str = "",
    max_size: int = MAX_SIZE,
) -> Unpacked:
    """Have `tree` hold the contents of `tarball`, replacing what another tarball left there."""
    state = read_state(tree)
    sha256 = sha256 or file_sha256(tarball)
    if state.get("sha256") == sha256:
        return Unpacked(False, state)
    if tree.exists() and not state and any(tree.iterdir()):
        raise TreeError(
            f"source_tree {tree} exists and was not made by this role: remove it or choose another"
        )

    tree.parent.mkdir(parents=True, exist_ok=True)
    for stale in tree.parent.glob(".unpacking-*"):  # of a run that was killed
        shutil.rmtree(stale, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=tree.parent))
    try:
        status, output = feed(
            ["tar", "--extract", "--file=-", f"--directory={scratch}", "--no-same-owner"],
            checked(decompressed(tarball, max_size)),
        )
        if status != 0:
            raise TreeError(f"{tarball} cannot be unpacked: {output.strip()[-500:]}")
        tops = list(scratch.iterdir())
        if len(tops) != 1 or not (tops[0] / "Makefile").is_file():
            raise TreeError(
                f"{tarball} is not a kernel's source: expected one directory with a Makefile in "
                f"it, found {', '.join(sorted(item.name for item in tops)[:5]) or 'nothing'}"
            )
        new = tops[0]
        makefile = new / "Makefile"
        found = makefile_version(makefile.read_text(encoding="utf-8"))
        if not version_matches(found, version):
            raise TreeError(
                f"{tarball} holds Linux {found}, but source_version is {version}: correct one"
            )
        state = {
            "version": found,
            "sha256": sha256,
            "provider": provider,
            "tarball": tarball.name,
            "signed_by": signed_by,
            # Time stamps of the build are taken from the source, not from the clock.
            "source_date_epoch": int(makefile.stat().st_mtime),
        }
        (new / STATE).parent.mkdir(exist_ok=True)
        (new / STATE).write_text(json.dumps(state, indent=2, sort_keys=True) + "\n", "utf-8")
        if tree.exists():
            tree.replace(scratch / ".old")
        new.replace(tree)
        return Unpacked(True, state)
    except ArchiveError as error:
        raise TreeError(f"{tarball} is not unpacked: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
