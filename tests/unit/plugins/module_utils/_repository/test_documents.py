# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents beside the index: in order, whole, readable, and only below the directory."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._repository import documents
from ansible_collections.oslab.kernel.plugins.module_utils._repository.documents import (
    Document,
    DocumentError,
    bring,
    document,
)

DOCUMENTS = [Document("builds/a.json", b"{}"), Document("key.asc", b"key"), Document("d", b"1")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_once_and_readable_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert bring(tmp_path, DOCUMENTS, [], dry=True) == [
            "builds",
            "builds/a.json",
            "key.asc",
            "d",
        ]
        assert list(tmp_path.iterdir()) == []
        assert bring(tmp_path, DOCUMENTS, []) == ["builds", "builds/a.json", "key.asc", "d"]
    finally:
        os.umask(before)
    assert (tmp_path / "builds/a.json").read_bytes() == b"{}"
    assert (mode(tmp_path / "builds"), mode(tmp_path / "builds/a.json")) == (0o755, 0o644)
    assert bring(tmp_path, DOCUMENTS, []) == []
    (tmp_path / "d").chmod(0o600)
    assert bring(tmp_path, DOCUMENTS, []) == ["d"]
    assert mode(tmp_path / "d") == 0o644


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "d").symlink_to(other)
    bring(tmp_path, [Document("d", b"1")], [])
    assert (other.read_text(), (tmp_path / "d").is_symlink()) == ("mine", False)


def test_removed(tmp_path: Path) -> None:
    bring(tmp_path, DOCUMENTS, [])
    assert bring(tmp_path, [], ["builds/a.json", "gone"]) == ["builds/a.json"]
    assert list((tmp_path / "builds").iterdir()) == []


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../../x", "a\nb"])
def test_names_stay_below_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="is not a name below"):
        document({"name": name, "content": "x"})
    with pytest.raises(DocumentError, match="is not a name below"):
        bring(tmp_path, [], [name])


def test_what_a_document_holds(tmp_path: Path) -> None:
    source = tmp_path / "files.json"
    source.write_text("[]")
    digest = hashlib.sha256(b"[]").hexdigest()
    assert document({"name": "a", "src": str(source), "sha256": digest}).content == b"[]"
    assert json.loads(document({"name": "a", "json": {"b": 1}}).content) == {"b": 1}
    assert document({"name": "a", "content": "x\n"}).content == b"x\n"
    with pytest.raises(DocumentError, match=f"has sha256 {digest}, not 00"):
        document({"name": "a", "src": str(source), "sha256": "00"})
    with pytest.raises(DocumentError, match="is missing: build again"):
        document({"name": "a", "src": str(tmp_path / "none")})


def test_a_file_of_another_user_than_the_one_who_builds(tmp_path: Path) -> None:
    (tmp_path / "files.json").write_text("[]")
    digest = hashlib.sha256(b"[]").hexdigest()
    entry = {"name": "a", "src": str(tmp_path / "files.json"), "sha256": digest}
    assert document(entry, os.geteuid()).content == b"[]"
    with pytest.raises(PermissionError, match="does not belong to the user number"):
        document(entry, os.geteuid() + 4711)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LIMIT", 3)
    (tmp_path / "a").write_text("1234")
    with pytest.raises(DocumentError, match="is larger than 3 bytes"):
        document({"name": "a", "src": str(tmp_path / "a")})


def test_a_full_disk_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(tmp_path, DOCUMENTS, [])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        bring(tmp_path, [Document("d", b"2")], [])
    assert (tmp_path / "d").read_bytes() == b"1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["builds", "d", "key.asc"]
    monkeypatch.undo()
    assert bring(tmp_path, [Document("d", b"2")], []) == ["d"]
