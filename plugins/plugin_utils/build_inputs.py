# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything on the control node that decides what a builder publishes, as one checksum."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: The roles that run on the builder.
ROLES = ("dependencies", "source", "version", "patch", "config", "build", "publish")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: Parts of the collection that decide what the roles do.
_OWN = ("galaxy.yml", "MANIFEST.json", "meta", "playbooks", "plugins", "roles", "files")
_CHUNK = 1 << 20


def roles_run(tags: Sequence[str], skipped: Sequence[str]) -> bool:
    """Whether any role of the builder runs with these tags, as they have its names.

    :param tags: those of C(--tags); none for all.
    :param skipped: those of C(--skip-tags).
    """
    left = {*ROLES, "always"} - set(skipped) - {"always"}
    return bool(left if not tags else left & set(tags))


def some_steps(tags: Sequence[str], skipped: Sequence[str]) -> bool:
    """Whether tags leave out some of what a builder does.

    :param tags: those of C(--tags); none for all.
    :param skipped: those of C(--skip-tags). Tags that nothing of a builder has do not count:
        Molecule always skips its own.
    """
    return bool(tags or {*ROLES, "always", "all", "tagged", "untagged"} & set(skipped))


def must_run(values: Mapping[str, Any], only_some_steps: bool) -> str:
    """Why the roles have to run although no input changed; empty if they need not.

    :param values: the builder's variables, those that nobody has set with their default.
    :param only_some_steps: whether tags leave out some steps.
    """
    if only_some_steps:
        return "only some steps are asked for"
    if values.get("build_goal", "build") != "build":
        return "more than a build is asked for"
    for name in ("build_force", "config_refresh_targets", "publish_replace_key", "source_series"):
        if str(values.get(name, False)).lower() in ("true", "yes", "on", "1", "y", "t"):
            return f"{name} is set"
    if values.get("build_environment") == "root":
        return "a build root is compared with its mirrors in each run"
    reference = str(values.get("source_git_ref", ""))
    if values.get("source_provider") == "git" and not _COMMIT.fullmatch(reference):
        return "source_git_ref is no commit, and may mean another one today"
    return ""


def _file(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _names(top: Path) -> Iterator[Path]:
    if top.is_file():
        yield top
    for directory, below, files in os.walk(top):
        below[:] = sorted(name for name in below if name != "__pycache__")
        yield from (Path(directory) / name for name in sorted(files) if not name.endswith(".pyc"))


def content(top: Path) -> str:
    """A checksum over a file, or over names, modes and contents of all files in a directory.

    Raises OSError.
    """
    digest = hashlib.sha256()
    for path in _names(top):
        executable = os.access(path, os.X_OK)
        digest.update(f"{path.relative_to(top)}\0{executable:d}\0".encode(errors="surrogateescape"))
        digest.update(_file(path))
    return digest.hexdigest()


def collection(root: Path) -> str:
    """A checksum over the collection in a directory. Raises OSError."""
    return checksum({name: content(root / name) for name in _OWN if (root / name).exists()})


def checksum(value: Any) -> str:
    """Of any value that JSON can hold; other values count as their text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
