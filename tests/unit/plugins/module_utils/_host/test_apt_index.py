# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target's index is compared with the one that was published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_index import check
from ansible_collections.oslab.kernel.plugins.module_utils._repository.index import (
    Index,
    IndexFileError,
)

FILE = "h_dists_stable_InRelease"
LINE = f"'http://h/dists/stable/InRelease' {FILE} 0 \n"
OTHER = "'http://h/dists/stable/main/binary-amd64/Packages.xz' h_Packages 0 \n"
DATED = """-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Date: Thu, 01 Jan 1970 00:00:10 UTC
-----BEGIN PGP SIGNATURE-----
"""


class Apt:
    def __init__(self, lists: Path) -> None:
        self.uris, self.lists, self.asked = LINE + OTHER, lists, [""]
        (lists / FILE).write_text(DATED)

    def __call__(self, argv: Sequence[str]) -> Result:
        self.asked = list(argv)
        if argv[0] == "apt-config":
            return Result(0, f"FOUND='{self.lists}/'\n")
        assert "Dir::Etc::SourceList=/a.sources" in argv
        return Result(0, self.uris) if self.uris else Result(100, "", "E: Malformed entry")


@pytest.fixture
def apt(tmp_path: Path) -> Apt:
    return Apt(tmp_path)


def test_a_later_one_and_an_older_one(apt: Apt) -> None:
    assert check(apt, "/a.sources", Index("x", 9)).date == 10
    with pytest.raises(IndexFileError) as error:
        check(apt, "/a.sources", Index("x", 11))
    assert (
        "http://h/dists/stable/InRelease is an old index: it is of 1970-01-01 00:00:10 UTC"
        in str(error.value)
    )


@pytest.mark.parametrize("uris", [OTHER, LINE + LINE.replace("/h/", "/i/")])
def test_one_repository_and_no_other(apt: Apt, uris: str) -> None:
    apt.uris = uris
    with pytest.raises(IndexFileError, match="has to name one"):
        check(apt, "/a.sources", Index("x", 9))


def test_what_apt_says(apt: Apt) -> None:
    apt.uris = ""
    with pytest.raises(IndexFileError, match="Malformed entry"):
        check(apt, "/a.sources", Index("x", 9))


def test_an_index_that_was_not_fetched(apt: Apt) -> None:
    (apt.lists / FILE).unlink()
    with pytest.raises(IndexFileError, match="apt-get update first"):
        check(apt, "/a.sources", Index("x", 9))
