# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""removal: what takes the place of ours."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.removal import restoration

VERSION = "6.8-oslab1.0123456789ab"


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
    baseline = {"packages": {"linux-libc-dev": "6.1.5-1"}}
    made = restoration(policy("linux-libc-dev", *there), baseline, {}, "h", ["linux-libc-dev"])
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
