# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy an apt repository from where it is made to where it is served, at no moment half.

A client reads InRelease, then the indexes that it names, by their hash, then packages. So the
packages come first, then the indexes, InRelease last, by a rename; and what the InRelease before
named stays for clients that have just read it. Files are linked, not copied.

A run that is killed leaves the old state served; the next one finishes. So does a power cut: what
an index names is on the disk before the index bears its name.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file

# In this order, the one that decides last.
SIGNED = ("Release", "Release.gpg", "InRelease")
FIRST_SIGNED = 3
BY_HASH = "by-hash"
# Indexes that are kept in each by-hash directory: those of the last twenty publications or so.
KEPT = 64
PART = ".part"
# In the repository's directory: whoever publishes, or signs the description, holds it.
LOCK = "publish.lock"


def files(top: Path) -> Iterator[Path]:
    """Relative paths of the files; not of links, which aptly makes for itself."""
    for directory, _below, names in os.walk(top):
        for name in names:
            path = Path(directory, name)
            if not path.is_symlink() and not name.endswith(PART):
                yield path.relative_to(top)


def is_placed(source: Path, target: Path) -> bool:
    return target.exists() and target.samefile(source)


def changed_directories(target: Path) -> list[Path]:
    """Those that get a new name when a file is placed there."""
    missing = [path for path in target.parents if not path.is_dir()]
    return [target.parent, *(path.parent for path in missing)]


def place(source: Path, target: Path) -> None:
    """Link or copy the file to `target`, whole at any moment, with its content on the disk.

    One that is there already costs nothing.
    """
    if is_placed(source, target):
        if stat.S_IMODE(target.stat().st_mode) != 0o644:
            target.chmod(0o644)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}{PART}")
    part.unlink(missing_ok=True)
    try:
        try:
            os.link(source, part)
        except OSError:  # another file system
            shutil.copy2(source, part)
        part.chmod(0o644)
        atomic_file.sync(part)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def sync(changed: Collection[Path]) -> None:
    """Each once, however many files came into it."""
    for directory in sorted(set(changed)):
        atomic_file.sync(directory)


def date(source: Path, target: Path) -> None:
    """Date the file later than what it replaces, by HTTP's clock, which counts whole seconds.

    Otherwise a client that asks "modified since?" gets the answer no, and keeps the old index.
    """
    if target.exists() and not target.samefile(source):
        when = max(int(time.time()), int(target.stat().st_mtime) + 1)
        os.utime(source, (when, when))


def order(path: Path) -> int:
    if path.parts[0] != "dists":
        return 0
    if BY_HASH in path.parts:
        return 1
    # <suite>/InRelease, not <component>/binary-<architecture>/Release
    if len(path.parts) == 3 and path.name in SIGNED:
        return FIRST_SIGNED + SIGNED.index(path.name)
    return 2


def update(made: Path, served: Path, before: Collection[str]) -> None:
    """Serve what was made. `before`: packages that the index named up to now, which stay."""
    wanted = sorted(files(made), key=lambda path: (order(path), path))
    for _stage, paths in itertools.groupby(wanted, key=order):
        changed: list[Path] = []
        for path in paths:
            if order(path) >= FIRST_SIGNED:
                date(made / path, served / path)
            if not is_placed(made / path, served / path):
                changed += changed_directories(served / path)
            place(made / path, served / path)
        sync(changed)
    clean(served, {path.as_posix() for path in wanted}, before)
    for top in ("dists", "pool"):
        for name, _below, _names in os.walk(served / top):
            if stat.S_IMODE(Path(name).stat().st_mode) != 0o755:
                Path(name).chmod(0o755)


def clean(served: Path, wanted: Collection[str], before: Collection[str]) -> None:
    """Remove what nobody can be about to fetch."""
    for path in (served / "pool").rglob("*.deb"):
        if path.relative_to(served).as_posix() not in {*wanted, *before}:
            path.unlink()
    for part in served.rglob(f".*{PART}"):
        part.unlink()
    for directory in served.glob(f"dists/**/{BY_HASH}/*"):
        indexes = [path for path in directory.iterdir() if not path.is_symlink()]
        indexes.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in indexes[KEPT:]:
            if path.relative_to(served).as_posix() not in wanted:
                path.unlink()
    for name, _below, _names in os.walk(served / "pool", topdown=False):
        with contextlib.suppress(OSError):
            Path(name).rmdir()  # if it is empty
