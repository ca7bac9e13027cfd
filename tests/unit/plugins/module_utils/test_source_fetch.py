# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors that misbehave, checksums that do not match."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import source_fetch as fetching

GOOD = b"the right bytes" * 1000
SHA256 = hashlib.sha256(GOOD).hexdigest()
NAME = "linux-6.8.tar.xz"


class Mirrors:
    """What each address answers: bytes, or an error to raise."""

    def __init__(self, **answers):
        self.answers = {name: answer for name, answer in answers.items()}
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        answer = self.answers[url.split("/")[2] + ("_sums" if url.endswith(".asc") else "")]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


def fetch(directory, opener, *hosts, sha256=SHA256):
    mirrors = [f"https://{host}/pub/" for host in hosts]
    return fetching.fetch(mirrors, "6.8", directory, sha256, opener)


def test_first_good_mirror_wins(tmp_path):
    mirrors = Mirrors(a=OSError("HTTP Error 404"), b=b"wrong bytes", c=GOOD, d=GOOD)
    got = fetch(tmp_path, mirrors, "a", "b", "c", "d")
    assert got.changed
    assert got.url == f"https://c/pub/v6.x/{NAME}"
    assert Path(got.path).read_bytes() == GOOD
    assert got.attempts[0]["error"] == "HTTP Error 404"
    assert "expected" in got.attempts[1]["error"]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_there_already_means_no_question_asked(tmp_path):
    (tmp_path / NAME).write_bytes(GOOD)
    mirrors = Mirrors()
    assert not fetch(tmp_path, mirrors, "a").changed
    assert mirrors.asked == []


def test_damaged_file_is_replaced(tmp_path):
    (tmp_path / NAME).write_bytes(b"damaged")
    assert fetch(tmp_path, Mirrors(a=GOOD), "a").changed
    assert (tmp_path / NAME).read_bytes() == GOOD


def test_no_mirror_leaves_nothing_and_names_all(tmp_path):
    mirrors = Mirrors(a=OSError("refused"), b=b"")
    with pytest.raises(fetching.FetchError, match=r"source_mirrors.*a/pub.*refused.*b/pub"):
        fetch(tmp_path, mirrors, "a", "b")
    assert list(tmp_path.iterdir()) == []


def test_stream_that_breaks_off(tmp_path):
    class Broken(io.BytesIO):
        def read(self, *args):
            if self.tell():
                raise ConnectionResetError("reset")
            return super().read(10)

    def opener(url):
        return Broken(GOOD)

    with pytest.raises(fetching.FetchError, match="reset"):
        fetch(tmp_path, opener, "a")
    assert list(tmp_path.iterdir()) == []


def test_checksum_from_the_listing(tmp_path):
    listing = f"{'0' * 64}  linux-6.8.1.tar.xz\n{SHA256}  {NAME}\n".encode()
    got = fetch(tmp_path, Mirrors(a=GOOD, a_sums=listing), "a", sha256="")
    assert got.sha256 == SHA256
    assert not fetch(tmp_path, Mirrors(a_sums=listing), "a", sha256="").changed
    with pytest.raises(fetching.FetchError, match="does not list"):
        fetch(tmp_path / "x", Mirrors(a=GOOD, a_sums=b"none"), "a", sha256="")


def test_find_says_which_version_is_missing():
    assert fetching.find(["https://a/"], "6.8", Mirrors(a=GOOD)) == f"https://a/v6.x/{NAME}"
    with pytest.raises(fetching.FetchError, match=r"source_version 6\.8: no mirror"):
        fetching.find(["https://a"], "6.8", Mirrors(a=OSError("404")))
