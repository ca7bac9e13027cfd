# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests' ansible-playbook remembers is what the sources say, and no other playbook's."""

from __future__ import annotations

import io
import os
import sys
import zipfile
import zipimport
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.oslab.kernel.tests.lib import quick_playbook


def test_an_archive_is_imported_from_what_is_compiled(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("ansible/__init__", "ansible/part", "ansible_collections/_build/enter"):
            archive.writestr(f"{name}.py", "answer = 42\n")
    path = tmp_path / "packed.zip"
    path.write_bytes(quick_playbook.with_compiled(packed.getvalue()))
    importer = zipimport.zipimporter(str(path))
    assert importer.get_filename("ansible/part").endswith(".pyc")
    found: dict[str, int] = {}
    exec(importer.get_code("ansible/part"), found)
    assert found["answer"] == 42
    assert importer.get_source("ansible/part") == "answer = 42\n"
    assert importer.get_filename("ansible_collections/_build/enter").endswith(".py")


def test_all_that_is_shipped_stays_a_source() -> None:
    utils = quick_playbook.ROOT / "plugins/module_utils"
    readers = [path for path in utils.rglob("*.py") if ".get_data(" in path.read_text()]
    assert len(readers) == len(quick_playbook.SHIPPED)
    assert all((utils / name).exists() for name in quick_playbook.SHIPPED)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    plugins = tmp_path / quick_playbook.COLLECTION / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "some.py").write_text("answer = 42\n")
    monkeypatch.setattr(constants, "COLLECTIONS_PATHS", [str(tmp_path)], raising=False)
    monkeypatch.setattr(quick_playbook, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(sys, "argv", ["ansible-playbook", str(tmp_path / "play.yml")])
    monkeypatch.chdir(tmp_path)
    return plugins


def test_changed_sources_are_another_state(sources: Path) -> None:
    before = quick_playbook.memory()
    assert before == quick_playbook.memory()
    (sources / "some.py").write_text("answer = 4.2\n")
    changed = quick_playbook.memory()
    assert changed != before
    (sources / "more.py").touch()
    assert quick_playbook.memory() not in (before, changed)


def test_modules_of_a_playbook_are_not_remembered(sources: Path, tmp_path: Path) -> None:
    assert quick_playbook.memory() is not None
    (tmp_path / "library").mkdir()
    assert quick_playbook.memory() is None


def test_collections_of_a_playbook_are_not_remembered(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "collections").symlink_to(".")
    assert quick_playbook.memory() is not None  # they are those that are looked at
    (tmp_path / "collections").unlink()
    (tmp_path / "collections").mkdir()
    assert quick_playbook.memory() is None


def test_others_cannot_write_there(sources: Path) -> None:
    before = os.umask(0)
    try:
        state = quick_playbook.memory()
    finally:
        os.umask(before)
    assert state is not None
    assert [x for x in (state, *state.parents[:1]) if x.stat().st_mode & 0o022] == []


def test_old_states_are_forgotten(sources: Path) -> None:
    state = quick_playbook.memory()
    assert state is not None
    quick_playbook.forget(state.stat().st_mtime - 1)
    assert state.exists()
    quick_playbook.forget(state.stat().st_mtime + 1)
    assert not state.exists()
