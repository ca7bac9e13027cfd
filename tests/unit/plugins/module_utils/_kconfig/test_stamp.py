# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a configuration counts as made from the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import tree_records
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import stamp

WANTED = {"options": {"A": "y"}}


def version(argv: Sequence[str]) -> str:
    return f"{argv[0]} 1.0"


def mark(tree: Path, *make_args: str) -> str:
    return stamp.fingerprint(tree, WANTED, make_args, version)


def test_same_things_same_mark(fakelinux: Path) -> None:
    assert mark(fakelinux) == mark(fakelinux)


@pytest.mark.parametrize(
    "name", ["init/Kconfig", "fs/Makefile", "kernel/Kconfig.new", "scripts/kconfig/new.pl"]
)
def test_a_changed_input_of_the_tree_shows(fakelinux: Path, name: str) -> None:
    before = mark(fakelinux)
    with (fakelinux / name).open("a") as file:
        file.write("\n")
    assert mark(fakelinux) != before


@pytest.mark.parametrize("name", ["fs/open.c", "vmlinux", "debian/Kconfig", ".config"])
def test_what_kconfig_does_not_read_does_not_show(fakelinux: Path, name: str) -> None:
    before = mark(fakelinux)
    (fakelinux / name).parent.mkdir(exist_ok=True)
    (fakelinux / name).write_text("changed\n")
    assert mark(fakelinux) == before


def test_another_compiler_or_wish_shows(fakelinux: Path) -> None:
    plain = mark(fakelinux)
    assert mark(fakelinux, "CC=clang") != plain
    assert stamp.fingerprint(fakelinux, {}, (), version) != plain
    assert stamp.fingerprint(fakelinux, WANTED, (), lambda argv: "2.0") != plain


def test_load(tmp_path: Path) -> None:
    assert stamp.load(tmp_path, "mark", "sum") is None
    result = {"config_sha256": "sum", "counts": {"y": 1}}
    stamp.save(tmp_path, "mark", result)
    assert stamp.load(tmp_path, "mark", "sum") == result
    assert stamp.load(tmp_path, "other", "sum") is None
    assert stamp.load(tmp_path, "mark", "edited by hand") is None


@pytest.mark.parametrize("content", ["", "[]", '{"fingerprint": "mark"}'])
def test_a_broken_stamp_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / ".oslab").mkdir()
    (tmp_path / tree_records.KCONFIG).write_text(content)
    assert stamp.load(tmp_path, "mark", "sum") is None
