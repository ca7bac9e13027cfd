# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of a file or nothing, and on a file system without modes, too."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file


def test_it_is_written_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "custom.cfg"
    atomic_file.write(path, "text\n", 0o640)
    assert path.read_text() == "text\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["custom.cfg"]


def test_fat_has_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchmod", refused)
    atomic_file.write(tmp_path / "a.conf", "text\n")
    assert (tmp_path / "a.conf").read_text() == "text\n"
    with pytest.raises(PermissionError):
        atomic_file.write(tmp_path / "a.conf", "other\n", 0o644)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["text\n"]


def test_names_change_and_go(tmp_path: Path) -> None:
    (tmp_path / "a+3.conf").write_text("a")
    atomic_file.rename(tmp_path / "a+3.conf", tmp_path / "a.conf")
    assert [file.name for file in tmp_path.iterdir()] == ["a.conf"]
    atomic_file.remove(tmp_path / "a.conf")
    atomic_file.remove(tmp_path / "a.conf")
    assert not list(tmp_path.iterdir())


def test_the_content_is_on_the_disk_before_it_bears_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    atomic_file.write(tmp_path / "a", b"bytes", 0o644)
    assert steps == ["file", "name", "directory"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_file.write(path, "new", 0o644)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a", "old")]


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    (tmp_path / ".a.oslab").symlink_to(other)
    (tmp_path / "a").symlink_to(other)
    atomic_file.write(tmp_path / "a", "text", 0o644)
    assert other.read_text() == "other"
    assert (tmp_path / "a").read_text() == "text"
    assert not (tmp_path / "a").is_symlink()


def test_two_writers_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, fsync = tmp_path / "a", os.fsync

    def meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        atomic_file.write(path, "second", 0o644)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    atomic_file.write(path, "first", 0o644)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a", "first")]


def test_parts_of_killed_runs_go_and_those_of_others_stay(tmp_path: Path) -> None:
    old = [".a[1].oslab", ".a[1].x_y4z2ab.oslab"]
    kept = [".a[1].new12345.oslab", ".a1.x_y4z2ab.oslab", ".a[1].b.x_y4z2ab.oslab", ".a[1].conf"]
    for name in [*old, *kept]:
        (tmp_path / name).write_text("")
        if "new" not in name:
            os.utime(tmp_path / name, (0, 0))
    atomic_file.write(tmp_path / "a[1]", "text", 0o644)
    assert {file.name for file in tmp_path.iterdir()} == {"a[1]", *kept}


def test_a_whole_file_system_is_synced(tmp_path: Path) -> None:
    atomic_file.sync_file_system(tmp_path)
    with pytest.raises(FileNotFoundError):
        atomic_file.sync_file_system(tmp_path / "no")
