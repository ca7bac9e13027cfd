# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""removal: what is not ours stays, and so does every kernel that may be needed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.filter.prunable_packages import prunable_packages
from ansible_collections.oslab.kernel.plugins.plugin_utils.removal import (
    orphans,
    prunable,
    restoration,
)

VERSION = "6.8-oslab1.0123456789ab"


def info(*releases: str, running: str = "6.1.0-stock") -> dict[str, Any]:
    names = [f"linux-{kind}-{release}" for release in releases for kind in ("image", "headers")]
    return {
        "release": running,
        "oslab_releases": list(releases),
        "oslab_packages": dict.fromkeys([*names, "linux-libc-dev"], VERSION),
    }


def test_only_what_came_with_ours_is_an_orphan() -> None:
    simulation = "Reading…\nRemv zlib1g-dev [1:1.2]\nRemv old [1]\nPurg other [2]\n"
    # Hosts may be configured to purge what is removed.
    brought = ["other", "zlib1g-dev", "old", "still-needed"]
    assert orphans(simulation, {"names": ["old"], "brought": brought}) == ["other", "zlib1g-dev"]
    assert orphans(simulation, {"brought": brought}) == []


def test_what_the_user_had_or_installed_later_is_no_orphan() -> None:
    """apt names the architecture of a foreign package, and dpkg-query that of a native one."""
    simulation = "Remv libfoo:i386 [1]\nRemv both [1]\nRemv later [1]\nRemv zlib [1]\n"
    for names in (["libfoo", "both"], ["libfoo:i386", "both:amd64"]):
        origin = {"names": names, "brought": ["zlib", "libfoo", "libfoo:i386", "both"]}
        assert orphans(simulation, origin) == ["zlib"]
    # Written before it was recorded what came with ours.
    assert orphans(simulation, {"names": ["libfoo"]}) == []


@pytest.mark.parametrize(
    ("keep", "running", "needed", "gone"),
    [
        (2, "d", [], ["b", "a"]),
        (1, "d", [], ["c", "b", "a"]),
        (0, "d", [], ["c", "b", "a"]),
        (2, "a", [], ["b"]),
        (1, "d", ["c", "stock"], ["b", "a"]),
        (9, "d", [], []),
    ],
)
def test_prunable(keep: int, running: str, needed: list[str], gone: list[str]) -> None:
    found = prunable(info("d", "c", "b", "a", running=running), keep, needed)
    assert found == [f"linux-{kind}-{name}" for name in gone for kind in ("image", "headers")]


def test_a_number_that_is_given_as_text() -> None:
    """`-e install_keep=1` gives it so, and the old kernels go last, when the trial is over."""
    described = info("c", "b", "a", running="c")
    assert prunable_packages(described, "1") == prunable_packages(described, 1) != []


def policy(name: str, *versions: str) -> str:
    """As `apt-cache policy` prints it; the installed version is ours."""
    lines = [f"{name}:", f"  Installed: {VERSION}", "  Version table:", f" *** {VERSION} 100"]
    for version in versions:
        lines += [f"     {version}", "        500 http://deb.example.org/debian Packages"]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["6.1.6-1 500", "6.1.5-1 500"], "6.1.5-1"),
        (["6.1.6-1 500", "6.1.4-1 500"], "6.1.6-1"),
        (["6.9-1~bpo 100", "6.1.6-1 500"], "6.1.6-1"),
        (["6.9-1 -1", "6.1.6-1 100"], "6.1.6-1"),
        (["6.1.5-1 -1"], "6.1.5-1"),
        (["6.9-oslab1.abcdefabcdef 990", "6.1.6-1 500"], "6.1.6-1"),
        (["6.9-1 -1"], ""),
        ([], ""),
    ],
)
def test_the_version_that_is_put_back(there: list[str], chosen: str) -> None:
    origin = {"packages": {"linux-libc-dev": "6.1.5-1"}}
    made = restoration(policy("linux-libc-dev", *there), origin, {}, "h", ["linux-libc-dev"])
    assert made["install"] == ([f"linux-libc-dev={chosen}"] if chosen else [])
    assert made["stay"] == ([] if chosen else ["linux-libc-dev"])
    different = chosen not in ("", "6.1.5-1")
    assert made["differences"] == (
        [f"linux-libc-dev was 6.1.5-1 and is {chosen} now"] if different else []
    )
    assert ("linux-libc-dev (6.1.5-1)" in made["problem"]) is (not chosen)


def test_what_others_need_becomes_the_distributions_or_stays() -> None:
    refused = {"linux-image-6.8": ["meta"], "linux-libc-dev": ["gcc", "libc6-dev"]}
    known = policy("linux-image-6.8") + policy("linux-libc-dev", "6.1.6-1 500")
    made = restoration(known, {}, refused, "h")
    assert made["install"] == ["linux-libc-dev=6.1.6-1"]
    assert made["stay"] == ["linux-image-6.8"]
    assert made["differences"] == []
    assert "linux-image-6.8 (meta)" in made["problem"]
    assert "libc6-dev" not in made["problem"]


def test_a_package_that_apt_does_not_know_stays() -> None:
    made = restoration("", {"packages": {"a": "1"}}, {"b": ["c"]}, "h")
    assert (made["install"], made["stay"]) == ([], ["b"])
    made = restoration("", {"packages": {"a": "1"}}, {}, "h", ["a"])
    assert made["stay"] == ["a"]
