# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index that apt fetched last from one repository: is it current, and which files are it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, own_packages
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    required_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_config, apt_repository
from ansible_collections.oslab.kernel.plugins.module_utils._repository import index
from ansible_collections.oslab.kernel.plugins.module_utils._repository.index import (
    Index,
    IndexFileError,
)

# 'http://host/dists/stable/InRelease' host_dists_stable_InRelease 0
_URI = re.compile(r"^'([^']*/InRelease)' (\S+) ", re.MULTILINE)
_SHA256 = re.compile(r"^SHA256: ([0-9a-f]{64})$", re.MULTILINE)
_OUR_PACKAGE = re.compile(rf".*{own_packages.ENDING}_[a-z0-9]+\.deb", re.DOTALL)
#: Bytes of a source file. One of ours has some KiB.
_LARGEST_SOURCE = 256 << 10


def index_file(run: Runner, source: str) -> tuple[str, Path]:
    """Address of the repository's index, and the file that apt keeps it in, by apt's own word."""
    only = [
        "--option",
        f"Dir::Etc::SourceList={source}",
        "--option",
        "Dir::Etc::SourceParts=/dev/null",
    ]
    argv = ["apt-get", "--print-uris", *only, "update"]
    found = _URI.findall(required_output(run, argv, IndexFileError))
    if len(found) != 1:
        raise IndexFileError(f"{source} names {len(found)} repositories, and has to name one")
    lists = apt_config.value(run, "Dir::State::lists/d") or "/var/lib/apt/lists"
    return found[0][0], Path(lists, found[0][1])


def check(run: Runner, source: str, published: Index) -> Index:
    """The index that the host has. Raises IndexFileError if it is older than `published`."""
    address, file = index_file(run, source)
    if not file.is_file():
        raise IndexFileError(f"{address} was not fetched: apt-get update first")
    found = index.read(file)
    reason = index.older(found, published)
    if reason:
        raise IndexFileError(
            f"{address} is an old index: {reason}. Bring the mirror or cache in front of the "
            "builder up to date, and run this again; if it is up to date, somebody gives out old "
            "packages"
        )
    return found


def check_packages(run: Runner, expected: Mapping[str, str]) -> None:
    """Compare the checksums that apt would ask of packages. Raises IndexFileError.

    :param expected: sha256 of each, by name=version.
    """
    for package, sha256 in sorted(expected.items()):
        shown = required_output(run, ["apt-cache", "show", package], IndexFileError)
        found = set(_SHA256.findall(shown))
        if found != {sha256}:
            raise IndexFileError(
                f"the index of the repository has {package} with sha256 "
                f"{' and '.join(sorted(found)) or 'none'}, and {sha256 or 'none'} was vouched for: "
                "somebody publishes other packages than those that were rebuilt"
            )


def files(run: Runner, source: Path) -> list[Path]:
    """What apt keeps of the repository: its indexes, by the source file, and packages of ours."""
    try:
        text = bounded_read.content(source, _LARGEST_SOURCE).decode(errors="replace")
    except OSError:
        text = ""
    name = apt_repository.index_name(text)
    found: list[Path] = []
    for option, ours in (
        ("Dir::State::lists/d", lambda file: name and file.name.startswith(f"{name}_")),
        ("Dir::Cache::archives/d", lambda file: _OUR_PACKAGE.fullmatch(file.name)),
    ):
        directory = apt_config.value(run, option)
        if directory and Path(directory).is_dir():
            found += [file for file in sorted(Path(directory).iterdir()) if ours(file)]
    return [file for file in found if file.is_file() and not file.is_symlink()]
