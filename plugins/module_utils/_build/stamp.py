# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize a builder on which nothing changed since its build was published.

The stamp has a checksum over the inputs, the state of each watched path, and the facts that the
roles set. A path's state is what `stat` says, not its content: each change of a file changes that.
"""

from __future__ import annotations

import glob
import hashlib
import http.client
import os
import stat
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    owned_file,
    plain_text,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import build_user, workdir

# To be raised when a stamp says something else than before.
FORMAT = 3
#: Seconds for the answer of the builder's own web server.
TIMEOUT = 10
#: A repository of hundreds of builds has fewer files.
MAX_FILES = 100_000
#: Levels of directories below a path; more than any of ours has.
ALL = 64
_CHUNK = 1 << 16
# Programs that only read a GnuPG home write these.
_VOLATILE = ("random_seed", ".lock")
_FORMS = {
    "inputs": str,
    "paths": dict,
    "shared": list,
    "directories": dict,
    "tree": str,
    "user": str,
    "server": dict,
    "facts": dict,
}


class StampError(Exception):
    """The state of a path cannot be read; the message names it."""


def _entry(path: Path) -> list[Any]:
    """What `stat` says of one path. A directory changes with each temporary file in it."""
    found = path.lstat()
    fields: list[Any] = [oct(found.st_mode), found.st_uid, found.st_gid]
    if not stat.S_ISDIR(found.st_mode):
        # Nobody can set back the time of the last change of an inode.
        fields += [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
    if stat.S_ISLNK(found.st_mode):
        fields.append(str(path.readlink()))
        # A program may be replaced behind a link that stays.
        if path.exists():
            behind = path.stat()
            fields += [behind.st_ino, behind.st_size, behind.st_mtime_ns, behind.st_ctime_ns]
    return fields


def _below(top: Path, depth: int) -> Iterator[Path]:
    """A path and what is below it, down to so many levels; no sockets, which an agent makes."""
    yield top
    if depth <= 0 or top.is_symlink() or not top.is_dir():
        return
    try:
        paths = sorted(top.iterdir())
    except FileNotFoundError:
        return
    for path in paths:
        if not path.name.endswith(_VOLATILE) and not path.is_socket():
            yield from _below(path, depth - 1)


def state(pattern: str, depth: int = ALL) -> str:
    """One checksum over the paths that a pattern means, and what is below them.

    Other programs may remove files meanwhile; what is gone when it is looked at is not there.

    :param pattern: a path, with wildcards as in C(glob).
    :param depth: levels of directories to go down; of a directory itself owner and mode count.

    Raises StampError.
    """
    digest = hashlib.sha256()
    count = 0
    try:
        for top in sorted(glob.glob(pattern)):  # noqa: PTH207, patterns are absolute paths
            for path in _below(Path(top), depth):
                try:
                    line = f"{path}\0{_entry(path)}\n"
                except FileNotFoundError:
                    continue
                digest.update(line.encode(errors="surrogateescape"))
                count += 1
                if count > MAX_FILES:
                    raise StampError(f"{top} has more than {MAX_FILES} files")
    except OSError as error:
        raise StampError(f"{error.filename or pattern}: {error.strerror}") from error
    return digest.hexdigest()


def tree_paths(tree: Path) -> list[str]:
    """Patterns of the files in a kernel's tree that the roles write; `make` writes none of them."""
    pristine = tree / tree_records.PRISTINE
    changed = [path.relative_to(pristine) for path in pristine.rglob("*") if path.is_file()]
    record = owned_file.json_object(tree / tree_records.PATCH) or {}
    created = [Path(str(name)) for name in record.get("created") or ()]
    own = [tree_records.DIRECTORY, Path("Makefile"), Path(".config"), *changed, *created]
    return sorted({glob.escape(str(tree / name)) for name in own})


def served(url: str) -> bytes:
    """What the builder's own web server answers.

    Raises OSError, ValueError or http.client.HTTPException.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + TIMEOUT
    content = b""
    with opener.open(url, timeout=TIMEOUT) as answer:
        # A limit for all of it: each piece has one of its own.
        while chunk := answer.read1(_CHUNK):
            content += chunk
            if time.monotonic() > end or len(content) > bounded_read.JSON:
                raise OSError(f"no whole answer within {TIMEOUT} s")
    return content


def _depths(watched: Iterable[str], directories: Iterable[str], search_path: str) -> dict[str, int]:
    """How deep each pattern is watched."""
    tops = [Path(one) for one in directories]
    shallow = {str(one) for top in tops for one in (top, *top.parents)}
    programs = [entry for entry in search_path.split(os.pathsep) if entry]
    return {
        **{glob.escape(one): 0 for one in shallow},
        **{glob.escape(one): 1 for one in programs},
        **dict.fromkeys(filter(None, watched), ALL),
    }


def make(
    inputs: str,
    watched: Iterable[str],
    directories: Mapping[str, str],
    search_path: str,
    server: Mapping[str, str],
    facts: Mapping[str, Any],
    *,
    shared: Iterable[str] = (),
    tree: str = "",
    user: str = "",
) -> dict[str, Any]:
    """The stamp of the present state. Raises StampError.

    :param inputs: checksum over the inputs.
    :param watched: patterns of paths; empty ones mean nothing.
    :param directories: by the names of their variables, directories that nobody else may write to;
        owner and mode of their parents are watched.
    :param search_path: as in the environment variable PATH; the programs there are watched.
    :param server: C(url) and C(file), which has the same content; empty without a web server.
    :param facts: what the roles set.
    :param shared: those of `watched` that builders of one machine share.
    :param tree: the kernel's tree, which is of this builder alone.
    :param user: to whom the tree and the first of `directories` belong; empty for the caller.
    """
    depths = _depths(watched, directories.values(), search_path)
    return {
        "format": FORMAT,
        "inputs": inputs,
        "search_path": search_path,
        "directories": dict(directories),
        "paths": {pattern: [depth, state(pattern, depth)] for pattern, depth in depths.items()},
        "shared": sorted(set(shared) & set(depths)),
        "tree": tree,
        "user": user,
        "server": dict(server),
        "facts": dict(facts),
    }


def renewed(stamp: Mapping[str, Any]) -> dict[str, Any]:
    """The stamp with the present state of what builders of one machine share. Raises StampError.

    Another builder has published since: that changes the repository, and nothing of this builder's.
    """
    now = {
        pattern: [stamp["paths"][pattern][0], state(pattern, stamp["paths"][pattern][0])]
        for pattern in stamp["shared"]
        if pattern in stamp["paths"]
    }
    return {**stamp, "paths": {**stamp["paths"], **now}}


def _prepare(
    directories: Mapping[str, str], uid: int, tree: str = "", *, root_too: bool = True
) -> str:
    (name, path), *others = directories.items()
    found = workdir.prepare(
        Path(path),
        uid,
        name=name,
        also={other: Path(place) for other, place in others},
        tree=Path(tree) if tree else None,
        change=False,
        root_too=root_too,
    )
    return f"others can write to {found.summary()}" if found.count else ""


def _loose(directories: Mapping[str, str], tree: str, user: str) -> str:
    """What others can write to; empty if nothing. The first directory is that of `user`."""
    try:
        if not user:
            return _prepare(directories, os.geteuid(), tree)
        builder = build_user.find(user)
        if not builder.exists:
            return f"there is no user {user}"
        (first, path), *others = directories.items()
        loose = _prepare({first: path}, builder.uid, tree, root_too=False)
        return loose or (_prepare(dict(others), os.geteuid()) if others else "")
    except (workdir.WorkdirError, OSError) as error:
        return str(error)


def _changes(
    stamp: Mapping[str, Any], inputs: str, search_path: str, ask: Callable[[str], bytes]
) -> Iterator[str]:
    if stamp.get("format") != FORMAT:
        yield "another version of the collection recorded the build"
    if stamp["inputs"] != inputs:
        yield "a variable, a file that a variable names, or the collection changed"
    if stamp.get("search_path") != search_path:
        yield "PATH changed"
    for pattern, (depth, known) in stamp["paths"].items():
        if state(pattern, depth) != known:
            yield f"{pattern} changed"
    if stamp["directories"]:
        loose = _loose(stamp["directories"], stamp["tree"], stamp["user"])
        if loose:
            yield loose
    server = stamp["server"]
    if server and ask(server["url"]) != bounded_read.content(Path(server["file"])):
        yield f"{server['url']} has another content than {server['file']}"


def outdated(
    stamp: Optional[Mapping[str, Any]],
    inputs: str,
    search_path: str,
    ask: Callable[[str], bytes] = served,
) -> str:
    """Why the builder is not as the stamp says; empty if it is.

    :param stamp: as :func:`make` made it; None if there is none.
    :param inputs: checksum over the inputs of this run.
    :param search_path: as in the environment variable PATH.
    :param ask: returns what is at a URL.
    """
    if stamp is None:
        return "no complete build was recorded"
    try:
        return next(_changes(stamp, inputs, search_path, ask), "")
    except StampError as error:
        return str(error)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = plain_text.sentence(f"{type(error).__name__} {error}")
        return f"{stamp['server'].get('url')} does not answer: {reason}"
    except (KeyError, TypeError, AttributeError):
        return "the recorded build is in an unknown form"


def read(path: Path) -> Optional[dict[str, Any]]:
    """The stamp in a file; None if there is none that this user alone can have written."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not workdir.is_own(found):
        return None
    value = json_file.read(path)
    if value is None or not all(isinstance(value.get(n), form) for n, form in _FORMS.items()):
        return None
    return value
