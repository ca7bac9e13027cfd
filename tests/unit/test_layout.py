# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of plugins/module_utils are where its files are, under the same names; all are run."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugins/module_utils"
TESTS = ROOT / "tests/unit/plugins/module_utils"


def test_each_file_has_a_test_of_its_own_name() -> None:
    files = [path.relative_to(CODE) for path in CODE.rglob("*.py") if path.stat().st_size]
    wanted = {path.with_name(f"test_{path.name}").as_posix() for path in files}
    assert len(wanted) > 100
    there = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    assert sorted(wanted - there) == [], "add them to tests/unit/plugins/module_utils"


def test_pytest_enters_each_directory_that_has_tests(pytestconfig: pytest.Config) -> None:
    passed_over = pytestconfig.getini("norecursedirs")
    places = {path.relative_to(ROOT) for path in ROOT.glob("tests/**/test_*.py")}
    missed = [
        str(path)
        for path in sorted(places)
        if any(fnmatch.fnmatch(part, one) for part in path.parent.parts for one in passed_over)
    ]
    assert missed == []
