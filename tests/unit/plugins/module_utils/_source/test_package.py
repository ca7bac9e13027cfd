# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution's package, with a fake dpkg and a fake apt."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import package as packages
from ansible_collections.oslab.kernel.plugins.module_utils._source.package import (
    Found,
    PackageError,
)


def host(installed=(), offered=(), failing=False):
    """A runner that knows the installed packages, and the offered ones as (name, version)."""
    versions = dict(offered)

    def run(argv):
        if argv[0] == "dpkg-query":
            known = argv[-1] in installed
            return (0, "installed", "") if known else (1, "", "no packages found")
        if failing:
            return 100, "", "E: The package lists are broken\n"
        if argv[1] == "policy":
            version = versions.get(argv[2])
            return 0, f"{argv[2]}:\n  Candidate: {version}\n" if version else "", ""
        return 0, "".join(f"{name} - Linux kernel source\n" for name in versions), ""

    return run


DEBIAN = [("linux-source-6.1", "6.1.192-2"), ("linux-source", "6.1.192-2")]
UBUNTU = [("linux-source-6.8.0", "6.8.0-60.63"), ("linux-source-6.11.0", "6.11.0-9.9")]


@pytest.mark.parametrize(
    ("offered", "version", "package"),
    [
        (DEBIAN, "6.1", "linux-source-6.1"),
        (DEBIAN, "6.1.192", "linux-source-6.1"),
        (UBUNTU, "6.8", "linux-source-6.8.0"),
        (UBUNTU, "6.8.0", "linux-source-6.8.0"),
        (UBUNTU, "6.8.12", "linux-source-6.8.0"),
        (UBUNTU, "6.11-rc7", "linux-source-6.11.0"),
    ],
)
def test_what_apt_offers(offered, version, package):
    found = packages.find(host(offered=offered), packages.names(version))
    assert found is not None
    assert (found.package, found.installed) == (package, False)
    packages.check_release(found, version)


def test_what_is_installed_needs_no_apt():
    run = host(installed=["linux-source-6.8.0"], failing=True)
    assert packages.find(run, packages.names("6.8")) == Found("linux-source-6.8.0", True)


def test_a_package_without_a_candidate_is_not_offered():
    run = host(offered=[("linux-source-6.8", "(none)")])
    assert packages.find(run, packages.names("6.8")) is None


@pytest.mark.parametrize(
    ("offered", "version", "message"),
    [
        (UBUNTU, "6.7", "no package linux-source-6.7 or linux-source-6.7.0. It offers "),
        (UBUNTU, "6.7", "linux-source-6.8.0 (source_version: '6.8'). Set source_version"),
        (DEBIAN, "6.7", "It offers linux-source-6.1 (source_version: '6.1'). Set"),
        ([], "6.7", "It offers none. Set"),
    ],
)
def test_the_message_names_what_there_is(offered, version, message):
    run = host(offered=offered)
    assert message in packages.missing(run, version, packages.names(version))


def test_the_message_says_why_apt_has_no_lists():
    message = packages.missing(host(failing=True), "6.8", ["linux-source-6.8"], "no network")
    assert "linux-source-6.8 (no network)" in message
    assert "apt-cache failed: E: The package lists are broken" in message


def test_debians_version_names_the_release_before_it_is_downloaded():
    found = packages.find(host(offered=DEBIAN), packages.names("6.1.128"))
    assert found is not None
    with pytest.raises(PackageError, match=r"holds 6\.1\.192\. Set source_version to '6\.1'"):
        packages.check_release(found, "6.1.128")


def test_a_name_that_is_none():
    assert packages.names("6.8", "linux-hwe-source") == ["linux-hwe-source"]
    for bad in ("-o", "a b", "A"):
        with pytest.raises(PackageError, match="source_package"):
            packages.names("6.8", bad)
    with pytest.raises(PackageError, match="source_version"):
        packages.names("latest")
