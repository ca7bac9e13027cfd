# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes and links of a tree, whatever a tarball has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import tree_modes
from ansible_collections.oslab.kernel.plugins.module_utils._source.archive import ArchiveError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The one directory on top of what a tarball had."""
    tree = tmp_path / "unpacked/linux"
    (tree / "scripts").mkdir(parents=True)
    for name in ("Makefile", "scripts/run"):
        (tree / name).write_text("")
    return tree


@pytest.mark.parametrize("mode", [0o777, 0o700, 0o4711])
def test_modes(tree: Path, mode: int) -> None:
    for path in (tree, tree / "scripts", tree / "scripts/run"):
        path.chmod(mode)
    (tree / "Makefile").chmod(0o666)
    tree_modes.normalize(tree.parent)
    found = {path.name: oct(path.stat().st_mode & 0o7777) for path in tree.parent.rglob("*")}
    directories = {"linux": "0o755", "scripts": "0o755"}
    assert found == {**directories, "run": "0o755", "Makefile": "0o644"}


def test_links_that_lead_out(tree: Path) -> None:
    (tree / "inside").symlink_to("scripts/run")
    tree_modes.normalize(tree.parent)
    (tree / "scripts/outside").symlink_to("../../x")
    with pytest.raises(ArchiveError, match="leads out of the tree"):
        tree_modes.normalize(tree.parent)


def test_a_second_name_outside(tree: Path) -> None:
    os.link(tree / "Makefile", tree / "again")
    tree_modes.normalize(tree.parent)
    os.link(tree / "Makefile", tree.parent.parent / "outside")
    with pytest.raises(ArchiveError, match="another name outside"):
        tree_modes.normalize(tree.parent)


def test_what_is_neither_a_file_nor_a_directory(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(ArchiveError, match="'pipe' is neither"):
        tree_modes.normalize(tree.parent)


def test_a_tree_that_is_closed_is_removed_too(tree: Path) -> None:
    (tree / "scripts").chmod(0)
    tree_modes.discard(tree)
    assert not tree.exists()
