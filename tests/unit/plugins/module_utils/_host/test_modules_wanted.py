# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that kernel_modules would leave alone, and those that it would not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import modules_load
from ansible_collections.oslab.kernel.plugins.module_utils._host.modules_wanted import as_wanted

WANTED: list[dict[str, Any]] = [
    {"name": "system_stats"},
    {"name": "io_throttle_mod", "params": {"pid": 7}},
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("system_stats", "io_throttle_mod"):
        folder = tmp_path / "sys/module" / name
        (folder / "parameters").mkdir(parents=True)
        (folder / "initstate").write_text("live\n")
    (tmp_path / "sys/module/io_throttle_mod/parameters/pid").write_text("7\n")
    entries = [
        modules_load.Entry("system_stats", {}),
        modules_load.Entry("io_throttle_mod", {"pid": "7"}),
    ]
    for path, text in modules_load.files(entries, True, tmp_path / "etc").items():
        path.parent.mkdir(parents=True)
        path.write_text(text or "")
    return tmp_path


def test_all_as_wanted(root: Path) -> None:
    assert as_wanted(WANTED, True, root)
    assert as_wanted(WANTED, None, root)
    assert as_wanted([], None, root)


@pytest.mark.parametrize(
    ("modules", "persistent"),
    [
        (WANTED, False),  # the files would be removed
        ([*WANTED, {"name": "other"}], None),  # not loaded
        ([{"name": "system_stats", "state": "unloaded"}], None),
        ([{"name": "io_throttle_mod", "params": {"pid": 8}}], None),
        ([{"name": "io_throttle_mod", "params": {"unknown": 1}}], None),
        ([{"name": "no name"}], None),
        (WANTED[:1], True),  # the files have another list
    ],
)
def test_what_would_change_or_fail(root: Path, modules: Any, persistent: Any) -> None:
    assert not as_wanted(modules, persistent, root)


def test_a_built_in_module_cannot_be_unloaded(root: Path) -> None:
    (root / "sys/module/system_stats/initstate").unlink()
    assert as_wanted(WANTED, True, root)
    assert not as_wanted([{"name": "system_stats", "state": "unloaded"}], None, root)


def test_files_that_somebody_edited(root: Path) -> None:
    (root / "etc/modules-load.d" / modules_load.NAME).write_text("system_stats\n")
    assert not as_wanted(WANTED, True, root)
