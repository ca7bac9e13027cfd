# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tarball counts as the right one; faulty servers are in tests/integration/role/source."""

from __future__ import annotations

import json
import urllib.request

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import fetch as fetching
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    Limits,
    url_opener,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.fetch import Policy, Proof
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import Keys

A, B, SHA = "A" * 40, "B" * 40, "1" * 64
DEVELOPERS, AUTOSIGNER = Keys("keys", [A]), Keys("key", [B])


@pytest.mark.parametrize(
    ("policy", "proof", "enough"),
    [
        (Policy(SHA), Proof(SHA), True),
        (Policy(SHA), Proof("2" * 64), False),
        (Policy(SHA, DEVELOPERS), Proof(SHA), True),
        (Policy(SHA, DEVELOPERS), Proof("2" * 64, signed_by=A), False),
        (Policy(SHA, DEVELOPERS, unsigned_if_pinned=False), Proof(SHA), False),
        (Policy(SHA, DEVELOPERS, unsigned_if_pinned=False), Proof(SHA, signed_by=A), True),
        (Policy(SHA, DEVELOPERS), Proof(SHA, signed_by=B), False),  # no longer pinned
        (Policy("", DEVELOPERS), Proof(SHA), False),
        (Policy("", DEVELOPERS), Proof(SHA, signed_by=A), True),
        (Policy("", DEVELOPERS, AUTOSIGNER), Proof(SHA, signed_by=A), False),
        (Policy("", DEVELOPERS, AUTOSIGNER), Proof(SHA, signed_by=A, listed_by=B), True),
        (Policy(SHA, DEVELOPERS, AUTOSIGNER), Proof(SHA, signed_by=A), True),
    ],
)
def test_what_an_earlier_run_proved(policy, proof, enough):
    assert policy.accepts(proof) is enough


@pytest.mark.parametrize(
    "record",
    [None, "", "[]", '{"sha256": "x", "more": 1}', json.dumps({"sha256": "2" * 64}), "{"],
)
def test_a_record_that_is_not_of_this_file_proves_nothing(tmp_path, record):
    tarball = tmp_path / "linux-6.8.tar.xz"
    tarball.write_bytes(b"right")
    if record is not None:
        fetching.record_of(tarball).write_text(record)
    assert fetching.cached(tarball, Policy("", DEVELOPERS)) is None
    sha256 = fetching.bounded_read.sha256(tarball)
    assert fetching.cached(tarball, Policy(sha256)) == Proof(sha256)
    assert fetching.cached(tmp_path / "none", Policy(sha256)) is None


def test_names():
    assert fetching.base_of("https://a/pub/", "6.8") == "https://a/pub/v6.x"
    assert fetching.kernel_org_tarball("6.12.5") == "linux-6.12.5.tar.xz"


def test_the_listing():
    listing = f"{'0' * 64}  linux-6.8.1.tar.xz\n{SHA}  linux-6.8.tar.xz\r\n"
    assert fetching.listed_sha256(listing, "linux-6.8.tar.xz") == SHA
    assert fetching.listed_sha256(listing, "linux-6.9.tar.xz") is None
    assert fetching.listed_sha256(listing, "linux-6x8.tar.xz") is None


KERNEL_ORG = ["https://cdn.kernel.org/pub/linux/kernel", "https://www.kernel.org/pub"]


def test_a_candidate_is_asked_of_those_who_may_have_it(tmp_path):
    means = fetching.Means(lambda *_: pytest.fail("asked"), lambda *_: (0, ""))
    for act in (
        lambda: fetching.find(KERNEL_ORG, "6.9-rc1", means),
        lambda: fetching.fetch(KERNEL_ORG, "6.9-rc1", tmp_path, Policy(SHA), means),
    ):
        with pytest.raises(fetching.FetchError, match=r"release candidate.*source_provider: file"):
            act()
    own = "https://mirror.example/kernel.org"
    assert fetching.mirrors_with([*KERNEL_ORG, own], "6.9-rc1") == [own]
    assert fetching.mirrors_with(KERNEL_ORG, "6.9") == KERNEL_ORG


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("6.8", "linux-6.8"),
        ("6.8.0", "linux-6.8"),
        ("6.8.12", "linux-6.8.12"),
        ("6.9-rc1", "linux-6.9-rc1"),
    ],
)
def test_a_mirror_is_asked_for_kernel_orgs_name(tmp_path, version, name):
    mirror = tmp_path / "v6.x"
    mirror.mkdir()
    (mirror / f"{name}.tar.xz").write_bytes(b"x")
    means = fetching.Means(
        lambda url, headers: urllib.request.urlopen(urllib.request.Request(url, headers=headers)),
        lambda *_: (0, ""),
    )
    found = fetching.find([tmp_path.as_uri()], version, means)
    assert found == f"{mirror.as_uri()}/{name}.tar.xz"


def test_a_candidate_that_nobody_has(tmp_path):
    means = fetching.Means(
        lambda url, headers: urllib.request.urlopen(urllib.request.Request(url, headers=headers)),
        lambda *_: (0, ""),
    )
    with pytest.raises(fetching.FetchError, match=r"no mirror.*/t/linux-6\.9-rc1\.tar\.gz"):
        fetching.find([tmp_path.as_uri()], "6.9-rc1", means)


LISTED = (
    "".join(
        f"{'0' * 64}  linux-{name}.tar.xz\n"
        for name in ("6.12.9", "6.12.10", "6.12", "6.12.11-rc1", "6.1.99", "6.13.1", "7.0")
    )
    + f"{'0' * 64}  linux-6.12.12.tar.gz\n{'0' * 64}  patch-6.12.13.tar.xz\n"
)


def mirrors_of(directory, *texts):
    """A mirror for each listing; None has nothing."""
    for number, text in enumerate(texts):
        for series in ("v6.x", "v7.x"):
            place = directory / str(number) / series
            place.mkdir(parents=True)
            if text is not None:
                (place / fetching.LISTING).write_text(text)
    return [(directory / str(number)).as_uri() for number in range(len(texts))]


LOCAL = fetching.Means(url_opener(5), lambda *_: (1, ""), Limits(5, 1))


def test_the_newest_release_of_a_series(tmp_path):
    mirrors = mirrors_of(tmp_path, None, "nothing", LISTED)
    assert fetching.newest(mirrors, "6.12", Policy(), LOCAL) == "6.12.10"
    assert fetching.newest(mirrors, "7.0", Policy(), LOCAL) == "7.0"
    with pytest.raises(fetching.FetchError, match=r"no mirror .* tells the releases of 6\.14"):
        fetching.newest(mirrors, "6.14", Policy(), LOCAL)


def test_a_listing_that_nobody_has_signed_tells_nothing(tmp_path):
    policy = Policy(autosigner=Keys("x", ["0" * 40]))
    with pytest.raises(fetching.FetchError, match="source_series: no mirror"):
        fetching.newest(mirrors_of(tmp_path, LISTED), "6.12", policy, LOCAL)
