# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin a build with what another tree of this machine has compiled.

Kernels of one source, as those of several builders, differ in some options and some files. kbuild
knows of each object what it was made from: the command, the files by their times, the options. So
the first build of a tree takes what was made in another tree, and kbuild makes what differs anew.
Files of both trees are compared by their contents, and get times that say the same.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import re
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import left_by_make
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    json_file,
    manifest,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

#: In the working files of a build, while files are copied.
MARK = "reusing"
# At the top of a tree: ours, what packages are made in, what is no kernel, and what holds keys.
_LEFT_OUT = (str(tree_records.DIRECTORY), "debian", ".git", "Documentation", "certs")
# By it syncconfig knows for which options the objects were made.
_OPTIONS = Path("include/config")
# A file there for each option that was ever set; those of options that are not set tell nothing.
_MARKER = re.compile(r"[A-Z0-9_]+")
_SET = re.compile(r"^CONFIG_(\w+)=", re.MULTILINE)
# What a tree that was built or configured for a build has.
_BUILT = (_OPTIONS / "auto.conf", Path("vmlinux"))
# Most of what is there is made without a record, and written only if it changes.
_GENERATED = "/include/generated/"
# Programs of the build; not all of them have a record.
_PROGRAMS = ("scripts/", "tools/")
# It is linked in each build.
_LINKED = ("vmlinux", ".vmlinux", ".tmp_vmlinux", "System.map", manifest.NAME)
# A module is linked of its objects at once; one that this kernel has not must not be there.
_MODULES = (".ko", ".ko.cmd")
# What an object is made with, by the manifest of a build.
_SAME = ("toolchain", "make_args", "build_root")
# Nanoseconds by which a file system may lag behind the clock.
_TICK = 1_000_000_000

_Files = dict[Path, os.stat_result]


class Taken(NamedTuple):
    """From which tree, and how many files."""

    tree: Path
    files: int


def work_of(tree: Path) -> Path:
    """Where the builds of a tree keep what is neither the tree's nor the store's."""
    return tree.parent / f"{tree.name}.build"


def records(tree: Path) -> Iterator[Path]:
    """kbuild's records (`.NAME.cmd`) of how it has made something."""
    for directory, _below, names in os.walk(tree):
        for name in names:
            if name.startswith(".") and name.endswith(".cmd"):
                yield Path(directory, name)


def forget(tree: Path) -> None:
    """Make kbuild make all objects anew."""
    for record in [*records(tree)]:
        record.unlink()


def recover(tree: Path) -> None:
    """Remove what was copied without coming to the end: half a file may be among it."""
    mark = work_of(tree) / MARK
    if not mark.exists():
        return
    for name in (json_file.read(mark) or {}).get("files", ()):
        (tree / name).unlink(missing_ok=True)
    shutil.rmtree(tree / _OPTIONS, ignore_errors=True)
    forget(tree)
    atomic_file.remove(mark)


def take(tree: Path, made_with: Mapping[str, Any]) -> Optional[Taken]:
    """Take what was made in the best other tree; None if this one was built, or there is none.

    `made_with`: the manifest of the build. Raises OSError if files cannot be copied; kbuild then
    makes all objects anew.
    """
    mark = work_of(tree) / MARK
    if any((tree / name).exists() for name in _BUILT):
        return None
    for other, ended in _others(tree):
        if not _fits(tree, other, made_with):
            continue
        products, sources = _listed(tree, other)
        newest = max((state.st_mtime_ns for state in products.values()), default=0)
        # After a clock was set back, what differs would be older than what was made of it there.
        if newest >= time.time_ns() - _TICK:
            continue
        json_file.write(mark, {"from": str(other), "files": [str(path) for path in products]})
        try:
            _copy_all(tree, other, products, sources)
        except OSError:
            recover(tree)
            raise
        # It may have been built anew meanwhile: a build begins by taking its outcome away. Its lock
        # is not for others, who would keep the next build of that tree waiting.
        if _ended_well(other) == ended:
            atomic_file.remove(mark)
            return Taken(other, len(products))
        recover(tree)
    return None


def _ended_well(tree: Path) -> int:
    """When its last build ended, in nanoseconds; 0 if there was none, or it failed."""
    work = work_of(tree)
    outcome, status = (json_file.read(work / name) for name in ("outcome.json", "status.json"))
    if not outcome or outcome.get("failed") or (status or {}).get("state") != "ended":
        return 0
    if (work / MARK).exists() or not all((tree / name).exists() for name in _BUILT):
        return 0
    return (work / "outcome.json").stat().st_mtime_ns


def _differing(tree: Path, other: Path) -> tuple[bool, int]:
    """Whether other files are patched, which most objects may depend on; and how many options."""
    mine, theirs = (
        (json_file.read(one / tree_records.PATCH) or {}).get("sha256") for one in (tree, other)
    )
    options = [
        {*(one / ".config").read_text("utf-8", "replace").split("\n")} for one in (tree, other)
    ]
    return mine != theirs, len(options[0] ^ options[1])


def _others(tree: Path) -> list[tuple[Path, int]]:
    """Trees beside this one that were built to the end, with when that was.

    The most similar first, then the latest.
    """
    found = []
    for place in tree.parent.parent.iterdir():
        other = place / tree.name
        if other == tree or other.is_symlink() or not other.is_dir():
            continue
        # Whoever may write there decides what is in the kernel.
        if not workdir.is_own(other.stat()):
            continue
        with contextlib.suppress(OSError):
            ended = _ended_well(other)
            if ended:
                found.append((_differing(tree, other), -ended, other))
    return [(other, -ended) for _differing, ended, other in sorted(found)]


def _fits(tree: Path, other: Path, made_with: Mapping[str, Any]) -> bool:
    """Whether it is of the same source, and was built with the same programs."""
    mine, theirs = tree_records.source(tree) or {}, tree_records.source(other) or {}
    their_build = json_file.read(other / manifest.NAME) or {}
    return (
        bool(mine.get("sha256"))
        and all(mine.get(name) == theirs.get(name) for name in ("sha256", "commit"))
        and all(made_with.get(name) == their_build.get(name) for name in _SAME)
    )


def _copy_all(tree: Path, other: Path, products: _Files, sources: _Files) -> None:
    moved = _moved(tree, other)
    shutil.rmtree(tree / _OPTIONS, ignore_errors=True)
    for path, state in products.items():
        _copy(other / path, tree / path, state, moved)
    for path, state in sources.items():
        _same_time(tree / path, other / path, state)
    # The options of the other one are those of its objects: syncconfig has to compare.
    os.utime(tree / ".config")
    atomic_file.sync_file_system(tree)


def _listed(tree: Path, other: Path) -> tuple[_Files, _Files]:
    """What is to be copied from the other tree, and the sources that both have."""
    alone = _alone(tree, other)
    auto = (other / _BUILT[0]).read_text("utf-8", "replace")
    is_set = {*_SET.findall(auto)}
    products: _Files = {}
    sources: _Files = {}
    for place, names in _directories(other):
        for name in names:
            path = place / name
            state = os.lstat(other / path)
            if not stat.S_ISREG(state.st_mode) or path.as_posix() in alone:
                continue
            if name.endswith(_MODULES):
                continue
            is_there = os.path.lexists(tree / path)
            if _is_product(path.as_posix(), name, names):
                options = place.parts[:2] == _OPTIONS.parts
                if options and _MARKER.fullmatch(name) and name not in is_set:
                    continue
                if not is_there or options or _GENERATED in f"/{path.as_posix()}":
                    products[path] = state
            elif is_there:
                sources[path] = state
            elif path.as_posix().startswith(_PROGRAMS):
                products[path] = state
    return products, sources


def _alone(tree: Path, other: Path) -> set[str]:
    """Sources that a role put into the other tree alone, as of a syscall, and their objects."""
    found = set()
    for name in (json_file.read(other / tree_records.PATCH) or {}).get("created", []):
        source = Path(name)
        if not os.path.lexists(tree / source):
            record = source.with_name(f".{source.stem}.o.cmd")
            found |= {path.as_posix() for path in (source, source.with_suffix(".o"), record)}
    return found


def _directories(top: Path) -> Iterator[tuple[Path, Collection[str]]]:
    """Each directory of a tree with the names of its files, relative to the top."""

    def fail(error: OSError) -> None:
        raise error

    for directory, below, names in os.walk(top, onerror=fail):
        place = Path(directory).relative_to(top)
        if place == Path():
            below[:] = [name for name in below if name not in _LEFT_OUT]
        files = frozenset(names)
        if place == Path():
            files = frozenset(name for name in names if not name.startswith(_LINKED))
        yield place, files


def _is_product(path: str, name: str, beside: Collection[str]) -> bool:
    """Whether make has made it."""
    return (
        left_by_make(name)
        or f".{name}.cmd" in beside
        or _GENERATED in f"/{path}"
        or (path.startswith(f"{_OPTIONS.as_posix()}/"))
    )


def _moved(tree: Path, other: Path) -> Callable[[bytes], bytes]:
    """What commands say in the one tree, by what they say in the other."""
    names = {
        f"{theirs}/".encode(): f"{mine}/".encode()
        for theirs, mine in (
            (other.parent, tree.parent),
            (other.parent.resolve(), tree.parent.resolve()),
        )
    }

    def change(text: bytes) -> bytes:
        for old, new in names.items():
            text = text.replace(old, new)
        return text

    return change


def _copy(
    source: Path, target: Path, state: os.stat_result, moved: Callable[[bytes], bytes]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if source.name.endswith(".cmd"):
        target.write_bytes(moved(source.read_bytes()))
    else:
        shutil.copyfile(source, target)
    target.chmod(stat.S_IMODE(state.st_mode))
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))


def _same_time(mine: Path, theirs: Path, state: os.stat_result) -> None:
    """Objects of the other tree are older than a file that differs, and not than the same file."""
    own = os.lstat(mine)
    if (own.st_mtime_ns, own.st_size) == (state.st_mtime_ns, state.st_size):
        return
    same = stat.S_ISREG(own.st_mode) and filecmp.cmp(mine, theirs, shallow=False)
    # The other one may be changed at this moment.
    if same and os.lstat(theirs).st_mtime_ns == state.st_mtime_ns:
        os.utime(mine, ns=(state.st_atime_ns, state.st_mtime_ns))
    else:
        os.utime(mine, follow_symlinks=False)
