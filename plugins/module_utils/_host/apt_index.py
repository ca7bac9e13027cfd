# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index that apt fetched last from one repository, compared with the one that was published."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    required_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_config
from ansible_collections.oslab.kernel.plugins.module_utils._repository import index
from ansible_collections.oslab.kernel.plugins.module_utils._repository.index import (
    Index,
    IndexFileError,
)

# 'http://host/dists/stable/InRelease' host_dists_stable_InRelease 0
_URI = re.compile(r"^'([^']*/InRelease)' (\S+) ", re.MULTILINE)


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
