# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directories that a build works in: everybody may read there, only their owner may write.

What others can write to, root would compile, sign and publish. Modes are stated here, since
those that programs give by themselves depend on the umask of whoever calls.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import owned_file, tree_records
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown

DIRECTORY = 0o755
# For programs that are called, and for files whose mode nothing else states.
UMASK = 0o022
OTHERS = stat.S_IWGRP | stat.S_IWOTH
SPECIAL = stat.S_ISUID | stat.S_ISGID
# Where `nginx -t` makes directories for nobody, in a repository's `nginx`. Nothing is read there.
NGINX = frozenset(("body", "proxy", "fastcgi", "uwsgi", "scgi"))
# Where a source tree is to stand that is not below source_workdir, for messages.
TREE_PARENT = "the directory of source_tree"
# Below source_workdir.
TREES = "trees"
# Where a kernel is built, by the names of the variables.
_BUILT_IN = ("source_workdir", TREE_PARENT)


class WorkdirError(Exception):
    """Others could write to the directory; the message says what to do."""


def is_own(state: os.stat_result) -> bool:
    """Whether nobody but this user has written what has this status, or can."""
    return state.st_uid == os.geteuid() and not state.st_mode & OTHERS


def make(path: Path) -> None:
    """The directory, and those above it that are missing, each with its mode."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    # No chmod: by then the name might be a link of somebody else.
    before = os.umask(UMASK)
    try:
        for place in reversed(missing):
            with contextlib.suppress(FileExistsError):
                place.mkdir(DIRECTORY)
    finally:
        os.umask(before)


# --- the directory itself, and what leads to it ------------------------------------------------


def user_named(uid: int) -> str:
    """For messages."""
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user number {uid}"


def check(path: Path, name: str, uid: int, *, root_too: bool = True, user: str = "") -> None:
    """Raise WorkdirError where others than root and `uid` decide what is in `path`.

    Above it a directory that all may write to will do, if it has the sticky bit, as /tmp.
    `name` is that of the variable, for the message. Without `root_too` the directory itself has
    to belong to `uid`, who may not exist yet and is called `user` then.
    """
    whose = f"the user {user}" if user else user_named(uid)
    end = path.resolve()
    if end.exists() and not end.is_dir():
        raise WorkdirError(f"{name} {path} is no directory: remove it, or choose another {name}")
    for place in owned_file.leading_to(path):
        try:
            found = place.lstat()
        except FileNotFoundError:
            continue
        what = f"{name} {path}" if place == end else f"{name} {path} is below {place}, which"
        if found.st_uid not in (0, uid):
            # What is in it belongs to the same user, most likely.
            all_of_it = "with all that is in it (chown -R)" if place == end else "(chown)"
            raise WorkdirError(
                f"{what} belongs to {user_named(found.st_uid)}, who could change what is built: "
                f"give it to {whose} {all_of_it}, or choose another {name}"
            )
        if place == end and not root_too and found.st_uid != uid:
            raise WorkdirError(_not_given(f"{name} {path}", whose, end, name))
        if stat.S_ISLNK(found.st_mode):
            continue
        mode = stat.S_IMODE(found.st_mode)
        if mode & OTHERS and (place == end or not mode & stat.S_ISVTX):
            raise WorkdirError(
                f"{what} can be written to by others than its owner (mode {mode:04o}), who could "
                f"change what is built: run 'chmod go-w {place}', or choose another {name}"
            )


def _not_given(what: str, whose: str, top: Path, name: str) -> str:
    """Of something of root's where a user builds, who could change none of it."""
    return (
        f"{what} belongs to root, and {whose} is to build there (build_user). If what earlier "
        f"builds left can be trusted, run 'chown -R {whose.rpartition(' ')[2]}: {top}'; otherwise "
        f"remove it, or choose another {name}"
    )


def check_programs(path: Path, name: str) -> None:
    """Raise WorkdirError where no program can be run: a kernel's build runs those that it makes."""
    there = next(place for place in (path, *path.parents) if place.exists())
    if os.statvfs(there).f_flag & os.ST_NOEXEC:
        raise WorkdirError(
            f"{name} {path} is mounted noexec, and a kernel's build runs programs there: run "
            f"'mount -o remount,exec' for its file system, or choose another {name}"
        )


# --- what is in it -----------------------------------------------------------------------------


@dataclass
class Loose:
    """What others could write to: how much, the first paths, and whether others than root's
    group could."""

    count: int = 0
    first: list[str] = field(default_factory=list)
    exposed: bool = False
    # Directories that were missing.
    made: list[Path] = field(default_factory=list)

    def add(self, path: Path, found: os.stat_result) -> None:
        self.count += 1
        if len(self.first) < 3:
            self.first.append(shown(str(path)))
        if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid != 0):
            self.exposed = True

    def summary(self) -> str:
        more = f" and {self.count - len(self.first)} more" if self.count > len(self.first) else ""
        return ", ".join(self.first) + more


def safe_mode(mode: int) -> int:
    """The same without the bits for writing by others, or running as another user."""
    without = OTHERS if stat.S_ISDIR(mode) else OTHERS | SPECIAL
    return stat.S_IMODE(mode) & ~without


def _tighten_file(name: str, directory: int, found: os.stat_result, change: bool) -> bool:
    """Whether others could write to the file."""
    if not stat.S_ISREG(found.st_mode) or safe_mode(found.st_mode) == stat.S_IMODE(found.st_mode):
        return False
    if change:
        # Not by its name: that might mean another file by now.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        try:
            now = os.fstat(descriptor)
            if stat.S_ISREG(now.st_mode):
                os.fchmod(descriptor, safe_mode(now.st_mode))
        finally:
            os.close(descriptor)
    return True


def tighten(
    top: Path,
    uid: int,
    change: bool = True,
    loose: Optional[Loose] = None,
    only: Optional[Path] = None,
    root_too: bool = True,
) -> Loose:
    """Remove write permission for others from everything below `top`. Follows no link.

    Of the directory that `only` is in, nothing else is looked at: there are the trees of other
    builders, which look at their own.

    Raises WorkdirError where anything there belongs to somebody else than root and `uid`: links,
    too, since whoever could make one decided where it leads. Without `root_too` nothing may be
    root's either. What is found is added to `loose`.
    """
    loose, top = loose or Loose(), top.resolve()
    if not top.is_dir():
        return loose

    def refuse(error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):  # gone meanwhile
            raise WorkdirError(f"{error.filename or top} cannot be looked at: {error.strerror}")

    for directory, below, names, descriptor in os.fwalk(top, onerror=refuse):
        place = Path(directory)
        if only is not None and place == only.parent:
            below[:] = [name for name in below if name == only.name]
            names.clear()
        found = os.fstat(descriptor)
        if place != top:
            _check_owner(place, top, found, uid, root_too)
        if safe_mode(found.st_mode) != stat.S_IMODE(found.st_mode):
            loose.add(place, found)
            if change:
                os.fchmod(descriptor, safe_mode(found.st_mode))
        for name in [*below, *names]:
            try:
                before = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                _check_owner(place / name, top, before, uid, root_too)
                was_loose = _tighten_file(name, descriptor, before, change)
            except FileNotFoundError:  # a build goes on there
                continue
            except OSError as error:
                path = shown(str(place / name))
                raise WorkdirError(
                    f"others can write to {path}, and its mode cannot be changed "
                    f"({error.strerror}): remove it"
                ) from error
            if was_loose:
                loose.add(place / name, before)
            if stat.S_ISLNK(before.st_mode) and name in below:
                # os.fwalk opens what a link leads to, and fails where the user may not.
                below.remove(name)
    return loose


def _check_owner(place: Path, top: Path, found: os.stat_result, uid: int, root_too: bool) -> None:
    if found.st_uid == 0 and not root_too and uid != 0:
        what = shown(str(place))
        raise WorkdirError(_not_given(what, user_named(uid), top, "source_workdir"))
    if found.st_uid in (0, uid) or _is_nginx(place.relative_to(top).parts):
        return
    raise WorkdirError(
        f"{shown(str(place))} belongs to {user_named(found.st_uid)}, who could change what is "
        f"built: remove it, or, if what is in it can be trusted, give all of {top} to "
        f"{user_named(uid)} (chown -R)"
    )


def _is_nginx(parts: tuple[str, ...]) -> bool:
    """Whether it is one of nginx's own, in a repository that is the top or right below it."""
    return any(
        parts[above : above + 1] == ("nginx",) and bool(NGINX.intersection(parts[above + 1 :][:1]))
        for above in (0, 1)
    )


# --- all of it ---------------------------------------------------------------------------------


def _ensure(path: Path, name: str, uid: int, change: bool, root_too: bool) -> bool:
    """Make and check the directory. Returns whether it was missing."""
    check(path, name, uid, root_too=root_too)
    missing = not path.is_dir()
    if missing and change:
        make(path)
        # Below a sticky directory anybody may have made it first.
        check(path, name, uid, root_too=root_too)
    return missing


def own_tree(top: Path, tree: Optional[Path]) -> Optional[Path]:
    """The directory of one builder's tree, if `tree` is where the role source has it by default."""
    own = tree.resolve().parent if tree else None
    return own if own and own.parent == top.resolve() / TREES else None


def prepare(
    path: Path,
    uid: int,
    *,
    name: str = "source_workdir",
    also: Optional[Mapping[str, Path]] = None,
    tree: Optional[Path] = None,
    change: bool = True,
    root_too: bool = True,
) -> Loose:
    """Make, check and tighten the directory, and a source tree that is to stand elsewhere.

    `name` is that of the variable; `also` are more such directories, by theirs. Raises
    WorkdirError where others decide what is there; without `root_too`, where root does, too.
    """
    tops = {name: path, **(also or {})}
    for variable, place in tops.items():
        if not place.is_absolute():
            raise WorkdirError(
                f"{variable} '{place}' is not an absolute path: give one that begins with /"
            )
    wanted = [(place, variable) for variable, place in tops.items()]
    elsewhere = tree if tree and path.resolve() not in tree.resolve().parents else None
    if elsewhere:
        wanted.append((elsewhere.parent, TREE_PARENT))
    made = [place for place, variable in wanted if _ensure(place, variable, uid, change, root_too)]
    for place, variable in wanted:
        if variable in _BUILT_IN:
            check_programs(place, variable)
    loose = Loose(made=made)
    for place in tops.values():
        if place is path or path.resolve() not in place.resolve().parents:
            only = None if elsewhere else own_tree(path, tree)
            tighten(place, uid, change, loose, only, root_too)
    # What the role did not make it refuses anyway: it might be /usr, named by mistake.
    if elsewhere and (elsewhere / tree_records.SOURCE).is_file():
        check(elsewhere, "source_tree", uid, root_too=root_too)
        tighten(elsewhere, uid, change, loose, root_too=root_too)
    return loose
