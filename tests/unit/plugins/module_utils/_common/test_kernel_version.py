# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one version is called."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_version as versions


@pytest.mark.parametrize(
    ("given", "upstream", "full"),
    [
        ("6.8", "6.8", "6.8.0"),
        ("6.8.0", "6.8", "6.8.0"),
        ("6.8.12", "6.8.12", "6.8.12"),
        ("6.10", "6.10", "6.10.0"),
        ("6.9-rc1", "6.9-rc1", "6.9.0-rc1"),
        ("6.9.0-rc1", "6.9-rc1", "6.9.0-rc1"),
        ("6.8.1-rc2", "6.8.1-rc2", "6.8.1-rc2"),
    ],
)
def test_kernel_orgs_name(given, upstream, full):
    assert versions.parse(given).upstream == upstream
    assert versions.parse(given).full == full


@pytest.mark.parametrize(
    "bad",
    ["", "6", "v6.8", "6.8.", "6.08", "06.8", "6.8-rc", "6.8-rc0", "6.8-1", "6.8\n", "6.8.1.2"],
)
def test_no_version(bad):
    with pytest.raises(ValueError, match="no version"):
        versions.parse(bad)


@pytest.mark.parametrize(
    ("version", "packages"),
    [
        ("6.8", ["linux-source-6.8", "linux-source-6.8.0"]),
        ("6.8.0", ["linux-source-6.8.0", "linux-source-6.8"]),
        ("6.8.12", ["linux-source-6.8", "linux-source-6.8.0"]),
        ("6.9-rc1", ["linux-source-6.9", "linux-source-6.9.0"]),
    ],
)
def test_names_of_a_distributions_package(version, packages):
    assert versions.source_packages(version) == packages


def test_the_series_of_a_package():
    assert versions.series_of_package("linux-source-6.8.0") == "6.8"
    assert versions.series_of_package("linux-source-6.12") == "6.12"
    assert versions.series_of_package("linux-source") == ""


def test_the_0_of_ubuntus_name_stands_for_any():
    assert versions.of_tarball("linux-source-6.8.0.tar.bz2", "6.8.0") == "6.8"
    assert versions.of_tarball("linux-source-6.8.0.tar.bz2", "6.8.0-rc1") == "6.8-rc1"
    assert versions.of_tarball("linux-source-6.8.tar.xz", "6.8.0") == "6.8.0"
    assert versions.of_tarball("linux-source-6.8.0.tar.bz2", "6.8.12") == "6.8.12"


@pytest.mark.parametrize(
    ("extraversion", "candidate"),
    [("", ""), ("-rc1", "-rc1"), ("-rc12-49-usac1", "-rc12"), ("-rc1x", ""), ("-49-rc1", "")],
)
def test_a_candidate(extraversion, candidate):
    assert versions.candidate_of(extraversion) == candidate
    assert versions.split_candidate(f"6.9.0{extraversion}") == ("6.9.0", candidate)


def test_extraversion_has_the_candidate_once():
    assert versions.extraversion("", "-49-usac1") == "-49-usac1"
    assert versions.extraversion("-rc1", "-49-usac1") == "-rc1-49-usac1"
    assert versions.extraversion("-rc1", "-rc1-49-usac1") == "-rc1-49-usac1"
    assert versions.extraversion("-rc1", "") == "-rc1"
    assert versions.extraversion("-rc1", "-rc2") == "-rc1-rc2"


def test_a_candidates_package_is_older_than_the_releases():
    older, newer = versions.debian("6.9.0-rc1"), versions.debian("6.9.0")
    command = ["dpkg", "--compare-versions", f"{older}-oslab1.f", "lt", f"{newer}-oslab1.0"]
    assert subprocess.run(command, check=False).returncode == 0
