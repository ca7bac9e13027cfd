# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a kernel's source: the whole tree is there, or nothing of it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    json_file,
    kernel_makefile,
    kernel_version,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import digests
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.archive import (
    ArchiveError,
    Original,
    checked,
    decompressed,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import Feed
from ansible_collections.oslab.kernel.plugins.module_utils._source.tree_modes import (
    discard,
    normalize,
)

MAX_SIZE = 4 << 30
UNPACKING = ".unpacking-"
OLD = ".old"
TAR = ("tar", "--extract", "--file=-", "--no-same-owner", "--no-same-permissions")

_WHO_SAYS_SO = {
    "sha256": "source_sha256, source.sha256 of build_lock, or what was verified at the download",
    "md5": "as its package lists it; install the package anew: apt-get install --reinstall",
}


class TreeError(Exception):
    """The tarball is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Unpacked:
    changed: bool
    state: dict[str, Any]


def version_matches(found: str, wanted: str) -> bool:
    """Whether the tree's version (always three numbers) is the wanted one. 6.8 means 6.8.0.

    A distribution's 6.12 stands for whatever stable release it ships, so two wanted numbers match
    any third.
    """
    numbers = re.sub(r"-rc[0-9]+$", "", wanted).split(".")
    return found.split(".")[: len(numbers)] == numbers


def _meant(tarball: str, found: str, wanted: str) -> bool:
    """Whether source_version, `wanted`, means the version `found`, of a tarball of this name."""
    numbers, candidate = kernel_version.split_candidate(found)
    try:
        meant = kernel_version.parse(kernel_version.of_tarball(tarball, wanted))
    except ValueError as error:
        raise TreeError(f"source_version: {error}") from error
    return version_matches(numbers, meant.numbers) and candidate == meant.candidate


def _digests(tarball: Path, stream: IO[bytes], wanted: Mapping[str, str]) -> str:
    """The sha256 of the tarball, which has to have these checksums (name → value)."""
    found = digests(stream, sorted({"sha256", *wanted}))
    for name, value in wanted.items():
        if found[name] != value:
            raise TreeError(
                f"{tarball} has the {name} {found[name]}, not {value} "
                f"({_WHO_SAYS_SO.get(name, name)}): the tree stays as it was"
            )
    return found["sha256"]


def _wanted(sha256: str, md5: str) -> dict[str, str]:
    given = {"sha256": sha256.lower(), "md5": md5.lower()}
    return {name: value for name, value in given.items() if value}


def check(tarball: Path, *, sha256: str, md5: str = "") -> str:
    """The sha256 of the tarball; TreeError if it is another than the one given."""
    with _opened(tarball) as stream:
        return _digests(tarball, stream, _wanted(sha256, md5))


@contextmanager
def _opened(tarball: Path) -> Iterator[IO[bytes]]:
    try:
        with tarball.open("rb") as stream:
            yield stream
    except ArchiveError as error:
        raise TreeError(f"{tarball} is not unpacked: {error}") from error


def of_package(md5sums: str, package: str) -> tuple[Path, str]:
    """The tarball of a distribution's source package, and its md5.

    `md5sums`: the package's own list, which dpkg keeps. Raises TreeError if none is in it.
    """
    for line in md5sums.splitlines():
        md5, _space, path = line.partition(" ")
        if Path(path).name.startswith(f"{package}.tar."):
            return Path("/", path.strip()), md5
    raise TreeError(
        f"the package {package} holds no file {package}.tar.*: correct source_package, or install "
        f"it anew: apt-get install --reinstall {package}"
    )


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
    md5: str = "",
) -> Unpacked:
    """Replace `tree` with the contents of `tarball`.

    `sha256`, `md5`: checksums (hexadecimal) that the tarball has to have; empty for any. Raises
    TreeError; what was in `tree` is still there then, and nothing of the tarball is.
    """
    _recover(tree)
    with _opened(tarball) as stream:
        # Before anything is decompressed.
        found = _digests(tarball, stream, _wanted(sha256, md5))
        state = tree_records.source(tree) or {}
        if state.get("sha256") == found and _meant(
            tarball.name, str(state.get("version")), version
        ):
            return Unpacked(False, state)
        stream.seek(0)

        def check(sha256: str) -> None:
            if sha256 != found:
                raise TreeError(f"{tarball} was changed while it was read: run it again")

        source = _Source(str(tarball), tarball.name, stream, check)
        record = {"provider": provider, "tarball": tarball.name, "signed_by": signed_by}
        return _replace(tree, source, feed, record, version, max_size)


def unpack_commit(
    commit: str,
    archive: Callable[[], AbstractContextManager[IO[bytes]]],
    tree: Path,
    feed: Feed,
    *,
    sha256: str,
    version: str,
    provider: str,
    signed_by: str = "",
    max_size: int = MAX_SIZE,
) -> Unpacked:
    """Replace `tree` with the files of a commit, which `archive` gives as a tar stream.

    `sha256`: checksum that the stream has to have; empty for any. A tree of the same commit stays,
    and its record follows who has signed it. Raises TreeError as `unpack` does.
    """
    _recover(tree)
    state = tree_records.source(tree) or {}
    if same_commit(state, commit, sha256, version):
        if state.get("signed_by") == signed_by:
            return Unpacked(False, state)
        state["signed_by"] = signed_by
        json_file.write(tree / tree_records.SOURCE, state)
        return Unpacked(True, state)
    name = f"the commit {commit} of source_git_ref"

    def check(found: str) -> None:
        if sha256 and found != sha256.lower():
            raise TreeError(
                f"{name} has the sha256 {found}, not {sha256.lower()} (source_sha256, or "
                "source.sha256 of build_lock): the tree stays as it was. Correct source_sha256, or "
                "leave it empty and pin the commit by source_git_ref; of a lock write a new one"
            )

    record = {"provider": provider, "tarball": "", "commit": commit, "signed_by": signed_by}
    try:
        with archive() as stream:
            source = _Source(name, "", stream, check)
            return _replace(tree, source, feed, record, version, max_size)
    except ArchiveError as error:
        raise TreeError(f"{name} is not unpacked: {error}") from error


def same_commit(state: Mapping[str, Any], commit: str, sha256: str, version: str) -> bool:
    """Whether a tree's record says that it is of this commit."""
    return (
        state.get("commit") == commit
        and sha256.lower() in ("", state.get("sha256"))
        and _meant("", str(state.get("version")), version)
    )


@dataclass(frozen=True)
class _Source:
    """What is unpacked. `shown`: for messages. `check` gets the sha256 of what was read."""

    shown: str
    tarball: str  # name of the file; empty if there is none
    stream: IO[bytes]
    check: Callable[[str], None]


def _replace(
    tree: Path, source: _Source, feed: Feed, record: dict[str, Any], version: str, max_size: int
) -> Unpacked:
    """Unpack it, and put it in the place of `tree`, with its record."""
    state = tree_records.source(tree) or {}
    if tree.exists() and not state and (not tree.is_dir() or any(tree.iterdir())):
        raise TreeError(
            f"source_tree {tree} exists and was not made by this role: remove it or choose another"
        )
    workdir.make(tree.parent)
    # Nobody else can enter it.
    scratch = Path(tempfile.mkdtemp(prefix=UNPACKING, dir=tree.parent))
    try:
        new, sha256 = _extract(source, scratch, feed, max_size)
        # The roles keep there what they did to a tree, and believe it.
        if os.path.lexists(new / tree_records.DIRECTORY):
            raise TreeError(
                f"{source.shown} brings a {tree_records.DIRECTORY}, which no kernel has: it is not "
                "unpacked. Take the tarball from where the kernel is published"
            )
        # The kernel's build would put a commit into the release, and run git with its settings.
        if "commit" in record and os.path.lexists(new / ".git"):
            raise TreeError(
                f"{source.shown} brings a .git, which no commit has: it is not unpacked"
            )
        state = {
            "version": _version(source, new, version),
            "sha256": sha256,
            **record,
            # Time stamps of the build are taken from the source, not from the clock.
            "source_date_epoch": int((new / "Makefile").stat().st_mtime),
        }
        workdir.make(new / tree_records.DIRECTORY)
        # The state says that all of it is there, which has to hold after a power cut.
        atomic_file.sync_file_system(scratch)
        json_file.write(new / tree_records.SOURCE, state)
        if tree.exists():
            tree.replace(scratch / OLD)
        atomic_file.rename(new, tree)
        return Unpacked(True, state)
    finally:
        _restore(scratch, tree)
        discard(scratch)


def _restore(scratch: Path, tree: Path) -> None:
    """The tree that was moved away and that nothing has replaced."""
    if (scratch / OLD).exists() and not tree.exists():
        (scratch / OLD).replace(tree)


def _recover(tree: Path) -> None:
    """Clean up after a run that was killed."""
    for stale in tree.parent.glob(f"{UNPACKING}*"):
        _restore(stale, tree)
        discard(stale)


def _extract(source: _Source, scratch: Path, feed: Feed, max_size: int) -> tuple[Path, str]:
    """The one directory that was in it, unpacked below `scratch`, and the sha256."""
    original = Original(source.stream)
    contents = checked(decompressed(original, max_size))
    status, output = feed([*TAR, f"--directory={scratch}"], contents)
    if status != 0:
        raise TreeError(f"{source.shown} cannot be unpacked: {shown(output.strip()[-500:], 500)}")
    for _rest in contents:  # tar may have stopped before the end
        pass
    source.check(original.sha256)
    normalize(scratch)
    tops = sorted(scratch.iterdir())
    if len(tops) != 1 or tops[0].is_symlink() or not (tops[0] / "Makefile").is_file():
        names = ", ".join(shown(repr(item.name), 40) for item in tops[:5])
        raise TreeError(
            f"{source.shown} is not a kernel's source: expected one directory with a Makefile in "
            f"it, found {names or 'nothing'}"
        )
    return tops[0], original.sha256


def _version(source: _Source, tree: Path, wanted: str) -> str:
    try:
        found = kernel_makefile.read_version(tree).upstream
    except (OSError, kernel_makefile.MakefileError) as error:
        raise TreeError(f"{source.shown} is not a kernel's source: {error}") from error
    if not _meant(source.tarball, found, wanted):
        numbers, candidate = kernel_version.split_candidate(found)
        series, _dot, patch = numbers.rpartition(".")
        exact = series if patch == "0" else numbers
        choices = dict.fromkeys([f"'{series}{candidate}'", f"'{exact}{candidate}'"])
        raise TreeError(
            f"{source.shown} holds Linux {shown(found, 40)}, but source_version is {wanted}: set "
            f"source_version to {shown(' or '.join(choices), 80)}, or choose another "
            f"{'tarball' if source.tarball else 'source_git_ref'}"
        )
    return found
