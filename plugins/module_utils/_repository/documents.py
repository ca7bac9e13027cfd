# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that stand beside a repository's index: descriptions, lists, the public key."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    owned_file,
)

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755
LIMIT = 64 << 20


class DocumentError(Exception):
    """A document cannot be published; the message says what to do."""


@dataclass(frozen=True)
class Document:
    name: str
    content: bytes


def checked_name(name: str) -> str:
    """A path below the directory that is served."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or not name.isprintable():
        raise DocumentError(f"{name!r} is not a name below the directory that is served")
    return name


def _file(name: str, source: Path, expected: str, owner: Optional[int]) -> bytes:
    try:
        data = owned_file.content(source, LIMIT, owner)
    except FileNotFoundError:
        raise DocumentError(f"{source} is missing: build again") from None
    if len(data) > LIMIT:
        raise DocumentError(f"{source} is larger than {LIMIT} bytes: build again")
    found = sha256(data).hexdigest()
    if expected and found != expected:
        raise DocumentError(
            f"{source} is not the file that was built: it has sha256 {found}, not {expected}. "
            f"Build again. {name} was not published."
        )
    return data


def document(entry: Mapping[str, Any], owner: Optional[int] = None) -> Document:
    """Of `name` and either `content`, `json` or `src` (with its `sha256`).

    `owner`: to whom `src` has to belong, if that user has named it. Raises DocumentError, OSError.
    """
    name = checked_name(str(entry.get("name") or ""))
    if entry.get("src"):
        expected = str(entry.get("sha256") or "")
        return Document(name, _file(name, Path(entry["src"]), expected, owner))
    if entry.get("json") is not None:
        text = json.dumps(entry["json"], indent=4, sort_keys=True)
        return Document(name, f"{text}\n".encode())
    return Document(name, str(entry.get("content") or "").encode("utf-8", "surrogateescape"))


def _as_wanted(path: Path, content: Optional[bytes], mode: int) -> bool:
    try:
        state = path.lstat()
        return stat.S_IMODE(state.st_mode) == mode and (
            stat.S_ISDIR(state.st_mode)
            if content is None
            else stat.S_ISREG(state.st_mode)
            and state.st_size == len(content)
            and path.read_bytes() == content
        )
    except (FileNotFoundError, NotADirectoryError):
        return False


def bring(
    directory: Path, documents: Sequence[Document], absent: Sequence[str], dry: bool = False
) -> list[str]:
    """Write them in their order, then remove. Returned are the names that changed.

    Raises OSError; what is not written yet is as it was.
    """
    changed = []
    for each in documents:
        path = directory / each.name
        for part in list(PurePosixPath(each.name).parents)[-2::-1]:
            parent = directory / part
            if not _as_wanted(parent, None, DIRECTORY_MODE):
                changed.append(parent.relative_to(directory).as_posix())
                if not dry:
                    parent.mkdir(exist_ok=True)
                    parent.chmod(DIRECTORY_MODE)
                    atomic_file.sync(parent.parent)
        if not _as_wanted(path, each.content, FILE_MODE):
            changed.append(each.name)
            if not dry:
                atomic_file.write(path, each.content, FILE_MODE)
    for name in absent:
        path = directory / checked_name(name)
        if os.path.lexists(path):
            changed.append(name)
            if not dry:
                atomic_file.remove(path)
    return changed
