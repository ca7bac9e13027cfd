# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target's index is compared with the one that was published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_index import (
    check,
    check_packages,
    files,
)
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


def test_what_apt_keeps_of_the_repository(tmp_path: Path) -> None:
    lists, archives, source = tmp_path / "lists", tmp_path / "archives", tmp_path / "a.sources"
    ours = ["b:80_kernel_dists_stable_InRelease", "b:80_kernel_dists_stable_main_binary-amd64_P"]
    package = "linux-image-6.12_6.12-oslab1.0123456789ab_amd64.deb"
    for directory, names in (
        (lists, [*ours, "b:80_kernel2_dists_stable_InRelease", "lock"]),
        (archives, [package, "bash_5.2_amd64.deb"]),
    ):
        (directory / "partial").mkdir(parents=True)
        for name in names:
            (directory / name).touch()
    (lists / "b:80_kernel_link").symlink_to(source)
    (lists / "b:80_kernel_directory").mkdir()

    def run(argv: Sequence[str]) -> Result:
        return Result(0, f"FOUND='{lists if 'lists' in argv[-1] else archives}/'\n")

    # A source that is gone, or no file, names nothing.
    assert files(run, source) == [archives / package]
    source.write_text("Types: deb\nURIs: http://b:80/kernel/\n")
    assert files(run, source) == [*(lists / name for name in ours), archives / package]
    source.write_text(f"URIs: http://b:80/kernel/\n{'x' * 300_000}")
    assert files(run, source) == [archives / package]


def test_packages_of_other_checksums() -> None:
    shown = {"a=1": f"Package: a\nSHA256: {'1' * 64}\n", "b=1": "Package: b\n"}
    shown["c=1"] = shown["a=1"] + "\n" + shown["a=1"].replace("1", "2")

    def run(argv: Sequence[str]) -> Result:
        assert argv[:2] == ["apt-cache", "show"]
        return Result(0, shown[argv[2]])

    check_packages(run, {})
    check_packages(run, {"a=1": "1" * 64})
    for package, wanted in (("a=1", "3" * 64), ("b=1", "1" * 64), ("c=1", "1" * 64), ("a=1", "")):
        with pytest.raises(IndexFileError, match=f"has {package} with sha256 .* was vouched for"):
            check_packages(run, {"a=1": "1" * 64, package: wanted})
