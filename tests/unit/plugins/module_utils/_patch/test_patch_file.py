# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the patches of patch_series come from."""

from __future__ import annotations

import hashlib
import io

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import patch_file as patches
from ansible_collections.oslab.kernel.plugins.module_utils._patch.patch_file import (
    PatchError,
    Wanted,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import Limits

TEXT = "--- a/x\n+++ b/x\n"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
URL = "https://a/series/0001%20fix.patch?x=1"
LIMITS = Limits(tries=1)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("/a/b.patch", Wanted("/a/b.patch")),
        ({"source": "b.patch"}, Wanted("b.patch")),
        ({"source": URL, "sha256": SHA256.upper()}, Wanted(URL, SHA256)),
    ],
)
def test_entries(entry, wanted):
    assert patches.parse(entry, 0) == wanted


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (URL, r"patch_series\[3\]: https.* needs the sha256"),
        ({"source": URL}, "needs the sha256"),
        ({"source": "x", "sha256": "abc"}, "not 64 hexadecimal digits"),
        ({"src": "x"}, "must be a path, or have 'source'"),
        ({"source": "x", "sha": "y"}, "has sha: only source and sha256"),
        (7, "must be a path"),
    ],
)
def test_bad_entries(entry, message):
    with pytest.raises(PatchError, match=message):
        patches.parse(entry, 3)


def test_names():
    assert Wanted(URL, SHA256).name == "0001 fix.patch"
    assert Wanted("/a/b.patch").name == "b.patch"


class Answer(io.BytesIO):
    headers: dict = {}  # noqa: RUF012


def get(wanted, cache, answer=None):
    asked = []

    def opener(url, headers):
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer)

    return patches.text_of(wanted, lambda path: path, cache, opener, LIMITS), asked


def test_an_address_is_asked_once(tmp_path):
    cache = tmp_path / "cache"
    assert get(Wanted(URL, SHA256), cache, TEXT.encode()) == (TEXT, [URL])
    assert get(Wanted(URL, SHA256), cache) == (TEXT, [])
    assert [path.name for path in cache.iterdir()] == [f"{SHA256}.patch"]
    (cache / f"{SHA256}.patch").write_text("damaged")
    assert get(Wanted(URL, SHA256), cache, TEXT.encode()) == (TEXT, [URL])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"other", f"https.*: sha256 is {hashlib.sha256(b'other').hexdigest()}, expected {SHA256}"),
        (OSError("refused"), "cannot fetch https.*refused"),
    ],
)
def test_an_address_that_gives_something_else(tmp_path, answer, message):
    with pytest.raises(PatchError, match=message):
        get(Wanted(URL, SHA256), tmp_path / "cache", answer)
    assert not (tmp_path / "cache").exists()


def test_files(tmp_path):
    file = tmp_path / "x.patch"
    file.write_text(TEXT)
    assert get(Wanted(str(file), SHA256), tmp_path)[0] == TEXT
    assert get(Wanted(str(file)), tmp_path)[0] == TEXT
    with pytest.raises(PatchError, match="expected 000"):
        get(Wanted(str(file), "0" * 64), tmp_path)
    with pytest.raises(PatchError, match="cannot read"):
        get(Wanted(str(tmp_path / "none")), tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PatchError, match="is not text"):
        get(Wanted(str(file)), tmp_path)
