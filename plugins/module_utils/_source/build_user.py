# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user who builds in place of root, and the directories that are this user's alone.

Root makes them, once and empty. What is in them is never given to the user, since somebody has to
say that it can be trusted; and root changes nothing in them, since the user decides what a name
there means.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.workdir import WorkdirError

# Of a user who does not exist yet: nothing belongs to that number.
_NOBODY_YET = -1


@dataclass(frozen=True)
class BuildUser:
    """`uid` and `gid` are negative if the user does not exist yet."""

    name: str
    uid: int = _NOBODY_YET
    gid: int = _NOBODY_YET

    @property
    def exists(self) -> bool:
        return self.uid != _NOBODY_YET


def find(name: str) -> BuildUser:
    """The user of this name. Raises WorkdirError if it is root."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return BuildUser(name)
    if found.pw_uid == 0:
        raise WorkdirError(
            f"build_user is {name}, which is root: name another user, or leave it empty to build "
            "as whoever the play becomes"
        )
    return BuildUser(name, found.pw_uid, found.pw_gid)


def check_acting(user: BuildUser, uid: int) -> None:
    """Raise WorkdirError unless this process is one of the user's."""
    if user.uid != uid:
        raise WorkdirError(
            f"build_user is {user.name}, but the build would run as {workdir.user_named(uid)}: "
            "remove ansible_become, ansible_become_user and their like from the variables of this "
            "builder, since they overrule the playbook"
        )


def _places(path: Path, name: str, tree: Optional[Path]) -> Iterator[tuple[Path, str]]:
    """The directories that have to be the user's, each with the name of its variable."""
    yield path, name
    if tree and path.resolve() not in tree.resolve().parents:
        yield tree.parent, workdir.TREE_PARENT


def _check_entry(user: BuildUser, path: Path, name: str) -> None:
    """Raise WorkdirError if the user cannot come there."""
    groups = set(os.getgrouplist(user.name, user.gid))
    for place in reversed(path.resolve().parents):
        if not place.exists():
            return
        found = place.stat()
        owner = stat.S_IXUSR if found.st_uid == user.uid else 0
        group = stat.S_IXGRP if found.st_gid in groups else 0
        # The owner's bits alone count for the owner, and the group's for its members.
        if not found.st_mode & (owner or group or stat.S_IXOTH):
            raise WorkdirError(
                f"{name} {path} is below {place}, which build_user {user.name} may not enter: run "
                f"'chmod o+x {place}', or choose another {name}"
            )


def reserve(
    user: BuildUser,
    path: Path,
    *,
    name: str = "source_workdir",
    tree: Optional[Path] = None,
    change: bool = True,
) -> list[Path]:
    """Check the directories and make those that are missing, as root. Returns what was missing.

    Where the directory above is the user's, it is left to the user. Raises WorkdirError if
    anything there is not the user's, before anything is made.
    """
    missing = []
    for place, variable in _places(path, name, tree):
        if not place.is_absolute():
            raise WorkdirError(
                f"{variable} '{place}' is not an absolute path: give one that begins with /"
            )
        workdir.check(place, variable, user.uid, root_too=False, user=user.name)
        if user.exists:
            _check_entry(user, place, variable)
        if not place.is_dir():
            missing.append(place)
            continue
        only = workdir.own_tree(path, tree) if place == path else None
        workdir.tighten(place, user.uid, False, only=only, root_too=False)
    if change:
        for place in missing:
            _make(user, place)
    return missing


def _make(user: BuildUser, place: Path) -> None:
    above = next(one for one in place.parents if one.exists())
    if above.stat().st_uid == user.uid:
        return
    workdir.make(place)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # Only what was made just now: below a sticky directory it may be somebody else's.
        if os.fstat(descriptor).st_uid != 0 or os.listdir(descriptor):  # noqa: PTH208
            raise WorkdirError(f"{place} was made by somebody else meanwhile: remove it")
        os.fchown(descriptor, user.uid, user.gid)
    finally:
        os.close(descriptor)
