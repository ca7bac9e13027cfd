# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that several trees and builders use at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build.store import (
    STALE,
    put,
    temporary_directory,
    temporary_prefix,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file


def build(store: Path, prefix: str, content: str) -> Path:
    new = temporary_directory(store, prefix, time.time())
    (new / "a.deb").write_text(content)
    return new


def test_same_tree_of_another_builder_has_another_prefix() -> None:
    tree = Path("/var/lib/oslab-kernel/tree")
    assert temporary_prefix(tree, "one") == temporary_prefix(tree, "one")
    assert temporary_prefix(tree, "one") != temporary_prefix(tree, "two")


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".mine-1", ".mine-old-2", ".other-3", ".old-4", "0123"):
        (tmp_path / name).mkdir()
    before = time.time() - STALE - 1
    os.utime(tmp_path / ".old-4", (before, before))
    new = temporary_directory(tmp_path, ".mine-", time.time())
    assert {path.name for path in tmp_path.iterdir()} == {".other-3", "0123", new.name}


def test_a_build_that_is_there_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "0123"
    assert put(build(tmp_path, ".a-", "first"), target, ".a-", lambda: True)
    second = build(tmp_path, ".b-", "second")
    assert not put(second, target, ".b-", lambda: True)
    assert (target / "a.deb").read_text() == "first"


def test_a_damaged_one_makes_room(tmp_path: Path) -> None:
    target = tmp_path / "0123"
    assert put(build(tmp_path, ".a-", "damaged"), target, ".a-", lambda: True)
    assert put(build(tmp_path, ".b-", "good"), target, ".b-", lambda: False)
    assert (target / "a.deb").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["0123"]


def test_the_name_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    replace = Path.replace

    def renamed(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", renamed)
    monkeypatch.setattr(atomic_file, "sync", lambda path: steps.append(str(path)))
    assert put(build(tmp_path, ".a-", "new"), tmp_path / "id", ".a-", lambda: False)
    assert steps == ["name", str(tmp_path)]
