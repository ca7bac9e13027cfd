# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apt_repository: pins that keep to the kernel's repository, and the names of its files."""

from __future__ import annotations

import time

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_repository import (
    index_name,
    pin_problem,
    pins,
    shared,
    site,
)

URL = "http://builder.example.org:8090"
SOURCE = "/etc/apt/sources.list.d/oslab-kernel.sources"
POLICY = """\
Package files:
 100 /var/lib/dpkg/status
     release a=now
  {rank} http://builder.example.org:8090 stable/main amd64 Packages
     release o=oslab-kernel,a=stable,n=stable,l=oslab-kernel,c=main,b=amd64
     origin builder.example.org
 500 http://[::1 bookworm/main amd64 Packages
     release v=12.1,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64
     origin mirror.example.org
Pinned packages:
     linux-image-6.12 -> 6.12-oslab1.0123456789ab with priority 1
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, "builder.example.org"),
        ("https://user:p@mirror.example.org/kernel/", "mirror.example.org"),
        ("http://[2001:db8::1]:8090/x", "2001:db8::1"),
        ("http://Builder", "Builder"),
        ("http://[::1", "["),
        ("/var/lib/dpkg/status", ""),
    ],
)
def test_the_host_as_apt_names_it(url: str, expected: str) -> None:
    assert site(url) == expected


def test_whether_other_sources_are_on_the_same_host() -> None:
    ours = f"{SOURCE}:1 {URL}/\n"
    assert not shared(URL, "", SOURCE)
    assert not shared(
        URL, ours + "/etc/apt/sources.list:1 http://mirror.example.org/debian/\n", SOURCE
    )
    assert shared(URL, ours + "/etc/apt/sources.list:1 https://builder.example.org/d/\n", SOURCE)
    assert not shared(URL, "what a host prints that is\nnot\nof apt's\n", SOURCE)


def test_pins() -> None:
    text = pins(URL, ["linux-image-6.12", "oslab-kernel-tools"], "6.12-oslab1.0123456789ab")
    assert text.count("Package: ") == 2
    assert (
        "Package: linux-image-6.12 oslab-kernel-tools\n"
        "Pin: version 6.12-oslab1.0123456789ab\nPin-Priority: 1\n\n"
    ) in text
    assert 'Package: *\nPin: origin "builder.example.org"\nPin-Priority: -1\n' in text
    assert "Pin: release o=oslab-kernel\n" in pins(URL, ["x"], "1", by_origin=True)


@pytest.mark.parametrize(("rank", "holds"), [("-1", True), ("900", False), ("1", False)])
def test_whether_the_pins_hold(rank: str, holds: bool) -> None:
    problem = pin_problem(POLICY.format(rank=rank), URL + "/", "/etc/x")
    assert (problem == "") is holds
    assert holds or problem.startswith(f"apt gives {URL}/ the priority {rank}, although /etc/x")


def test_a_repository_that_apt_does_not_list() -> None:
    assert pin_problem("", URL, "/etc/x") == ""


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "builder.example.org:8090"),
        (f"{URL}/a/b/", "builder.example.org:8090_a_b"),
        ("https://me:secret@builder/", "builder"),
        # As apt 2.6 names them.
        ("http://[::1]:80/~me/a_b=c", "::1:80_%7eme_a%5fb%3dc"),
    ],
)
def test_how_apt_calls_the_index(url: str, name: str) -> None:
    assert index_name(f"# x\nTypes: deb\nURIs: {url}\nSuites: stable\n") == name


@pytest.mark.parametrize("text", ["", "Types: deb\n", "URIs:\n"])
def test_a_source_without_an_address(text: str) -> None:
    assert index_name(text) == ""


@pytest.mark.parametrize("filler", ["/", " ", "a", "URIs: x\n", "\n", "é", "://"])
def test_a_source_that_somebody_has_filled(filler: str) -> None:
    text = f"URIs: http://{filler * (200_000 // len(filler))}x"
    started = time.process_time()
    assert len(index_name(text)) <= 2000
    assert time.process_time() - started < 2
