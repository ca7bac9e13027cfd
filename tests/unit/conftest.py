# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For ansible-test, too, which reads no pyproject.toml and has no conftest.py above this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fakelinux(tmp_path: Path) -> Path:
    """A private copy of the fake kernel tree; packages that it builds land beside it."""
    tree = tmp_path / "trees" / "linux"
    shutil.copytree(ROOT / "tests" / "fixtures" / "fakelinux", tree, symlinks=True)
    return tree
