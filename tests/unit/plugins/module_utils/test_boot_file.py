# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_file: all of a file or nothing, and on a file system without modes, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import boot_file


def test_it_is_written_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "custom.cfg"
    boot_file.write(path, "text\n", 0o640)
    assert path.read_text() == "text\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["custom.cfg"]


def test_fat_has_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchmod", refused)
    boot_file.write(tmp_path / "a.conf", "text\n")
    assert (tmp_path / "a.conf").read_text() == "text\n"
    with pytest.raises(PermissionError):
        boot_file.write(tmp_path / "a.conf", "other\n", 0o644)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["text\n"]


def test_names_change_and_go(tmp_path: Path) -> None:
    (tmp_path / "a+3.conf").write_text("a")
    boot_file.rename(tmp_path / "a+3.conf", tmp_path / "a.conf")
    assert [file.name for file in tmp_path.iterdir()] == ["a.conf"]
    boot_file.remove(tmp_path / "a.conf")
    boot_file.remove(tmp_path / "a.conf")
    assert not list(tmp_path.iterdir())
