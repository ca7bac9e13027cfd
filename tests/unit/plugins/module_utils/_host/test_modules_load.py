# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters are there whenever a module is loaded at boot."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._host.modules_load import (
    Entry,
    files,
    write,
)

OPTIONS = Path("/etc/modprobe.d/oslab-kernel.conf")
NAMES = Path("/etc/modules-load.d/oslab-kernel.conf")


def test_names_and_parameters() -> None:
    made = files([Entry("a", {}), Entry("b", {"pid": "1", "mode": "0440"})], True)
    assert [line for line in (made[OPTIONS] or "").splitlines() if line[0] != "#"] == [
        "options b pid=1 mode=0440"
    ]
    assert [line for line in (made[NAMES] or "").splitlines() if line[0] != "#"] == ["a", "b"]
    assert list(made) == [OPTIONS, NAMES]


def test_both_go_when_nothing_is_loaded_at_boot() -> None:
    assert files([Entry("a", {"pid": "1"})], False) == {OPTIONS: None, NAMES: None}


def test_without_a_module_there_is_no_file() -> None:
    assert files([], True) == {OPTIONS: None, NAMES: None}


def test_the_modes_are_stated_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "modules-load.d" / "oslab-kernel.conf"
    before = os.umask(0o077)
    try:
        write(path, "a\n")
    finally:
        os.umask(before)
    assert path.read_text() == "a\n"
    assert (path.stat().st_mode & 0o7777, path.parent.stat().st_mode & 0o7777) == (0o644, 0o755)
    write(path, None)
    assert list(path.parent.iterdir()) == []
