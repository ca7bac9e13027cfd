# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What targets have answered in earlier builds, of this tree and of others of the same machine.

A target that runs a kernel of this collection shows only what that kernel has. So its first answer,
of a stock kernel, counts for every kernel that is built for it: of another version, or of another
builder.
"""

from __future__ import annotations

import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

NAME = "targets.json"
# Far more than thousands of targets answer.
_MOST_BYTES = 256 << 20


class AnswersError(Exception):
    """What is stored cannot be read, in a sentence for the user."""


class Known(NamedTuple):
    """Answers by the names of the targets, and the configurations that belong to some of them."""

    hosts: dict[str, Any]
    #: Files of other trees, by the names that they have in this one.
    configurations: dict[str, Path]


def read(directory: Path) -> dict[str, Any]:
    """Those of one tree. Raises AnswersError."""
    path = directory / NAME
    try:
        return bounded_read.json_object(path, _MOST_BYTES)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AnswersError(
            f"{path} cannot be read: {error}. Restore it. Without it the targets are asked again, "
            "and those that run a kernel of this collection show only what that kernel has."
        ) from error


def known(directory: Path, others: Path, wanted: Collection[str]) -> Known:
    """The answers that are stored for a tree, and what other trees have of targets that it lacks.

    :param directory: of this tree.
    :param others: those of other trees are at `others/*/inputs`.
    :param wanted: targets to look for there. Only what they answered with a stock kernel is taken,
        of several answers the one that was stored first.

    Raises AnswersError if the answers of this tree cannot be read.
    """
    found = Known(read(directory), {})
    missing = {*wanted} - {*found.hosts}
    for place in _places(others, directory) if missing else ():
        try:
            answers = read(place)
        except AnswersError:
            continue
        for name in sorted(missing & {*answers}):
            answer = answers[name]
            if not isinstance(answer, dict) or answer.get("oslab"):
                continue
            found.hosts[name] = answer
            missing.discard(name)
            file = f"{name}.config"
            if "/" not in name and _is_ours(place / file) and not (directory / file).exists():
                found.configurations[file] = place / file
    return found


def _places(others: Path, directory: Path) -> list[Path]:
    """The one that was written first comes first."""
    stored = [
        path
        for path in others.glob(f"*/inputs/{NAME}")
        if path.parent != directory and _is_ours(path) and _is_ours(path.parent)
    ]
    return [path.parent for path in sorted(stored, key=lambda path: (path.stat().st_mtime, path))]


def _is_ours(path: Path) -> bool:
    """Whether nobody else may have written there: it decides what is in the kernel."""
    try:
        state = path.lstat()
    except OSError:
        return False
    kind = stat.S_IFMT(state.st_mode)
    return kind in (stat.S_IFREG, stat.S_IFDIR) and workdir.is_own(state)
