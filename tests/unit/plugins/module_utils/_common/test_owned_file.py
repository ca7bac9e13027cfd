# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root reads of another user's directory only what is that user's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import owned_file

THEIRS = 4711

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Of another user's, with a file of theirs; beside it is a secret of root's."""
    path = tmp_path / "store"
    path.mkdir()
    (path / "files.json").write_bytes(b"theirs")
    if os.geteuid() == 0:
        os.chown(path, THEIRS, THEIRS)
        os.chown(path / "files.json", THEIRS, THEIRS)
    (tmp_path / "secret").write_bytes(b"ours")
    return path


def test_a_file_of_theirs(store: Path, tmp_path: Path) -> None:
    assert owned_file.content(store / "files.json") == b"theirs"
    assert owned_file.content(store / "files.json", 2) == b"the"
    owned_file.check(store / "files.json")
    owned_file.copy(store / "files.json", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"theirs"
    with pytest.raises(FileNotFoundError):
        owned_file.check(store / "missing")


@needs_root
def test_who_decides(store: Path, tmp_path: Path) -> None:
    assert owned_file.writer(store / "a/b/c") == THEIRS
    assert owned_file.writer(tmp_path / "secret") == 0
    link = tmp_path / "link"
    link.symlink_to(store)
    assert owned_file.writer(link / "files.json") == THEIRS
    below = store / "below"
    below.mkdir()
    assert owned_file.writer(below / "file") == THEIRS


@needs_root
@pytest.mark.parametrize("kind", ["link", "hard link", "link of a directory", "file of root's"])
def test_nothing_of_roots(store: Path, tmp_path: Path, kind: str) -> None:
    secret, place = tmp_path / "secret", store / "list"
    if kind == "link":
        place.symlink_to(secret)
        os.chown(place, THEIRS, THEIRS, follow_symlinks=False)
    elif kind == "hard link":
        place.hardlink_to(secret)
    elif kind == "link of a directory":
        (store / "other").symlink_to(tmp_path)
        os.chown(store / "other", THEIRS, THEIRS, follow_symlinks=False)
        place = store / "other/secret"
    else:
        place.write_bytes(b"")
    for act in (owned_file.content, owned_file.json_object, owned_file.check):
        with pytest.raises(PermissionError):
            act(place)
    with pytest.raises(PermissionError):
        owned_file.copy(place, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@needs_root
def test_links_in_a_circle(store: Path) -> None:
    (store / "a").symlink_to("b")
    (store / "b").symlink_to("a")
    with pytest.raises(OSError, match=re.escape(str(store / "a"))):
        owned_file.check(store / "a/file")


@pytest.mark.parametrize(
    ("text", "found"), [('{"a": 1}', {"a": 1}), ("[]", None), ("{", None), (None, None)]
)
def test_an_object(tmp_path: Path, text: Optional[str], found: Optional[dict[str, int]]) -> None:
    if text is not None:
        (tmp_path / "object").write_text(text)
    assert owned_file.json_object(tmp_path / "object") == found


@needs_root
def test_who_names_a_file_has_to_own_it(store: Path, tmp_path: Path) -> None:
    """Where no such user decides what is there, too."""
    assert owned_file.content(store / "files.json", owner=THEIRS) == b"theirs"
    with pytest.raises(PermissionError, match="does not belong to the user number 4711"):
        owned_file.content(tmp_path / "secret", owner=THEIRS)


def test_the_number_of_a_user() -> None:
    assert owned_file.uid_of("") is None
    assert owned_file.uid_of("root") == 0
    with pytest.raises(OSError, match="there is no such user"):
        owned_file.uid_of("no-such-user")


def test_only_regular_files(store: Path) -> None:
    os.mkfifo(store / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        owned_file.check(store / "pipe")


def test_where_root_decides_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ours")
    (tmp_path / "link").symlink_to("file")
    assert owned_file.content(tmp_path / "link") == b"ours"
