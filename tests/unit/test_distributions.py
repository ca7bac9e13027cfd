# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supported distributions are listed in one place: another release is one line more."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLACE = "roles/dependencies/vars/main.yml"


def test_one_file_of_the_roles_lists_them() -> None:
    known = yaml.safe_load((ROOT / PLACE).read_text(encoding="utf-8"))["dependencies_distributions"]
    ids = re.compile("|".join(map(re.escape, known)))
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("roles/**/*.yml")
        if ids.search(path.name) or ids.search(path.read_text(encoding="utf-8"))
    }
    assert found == {PLACE}


def test_no_role_repeats_them_for_galaxy() -> None:
    """Galaxy reads `platforms` of a role that stands alone, not of a role of a collection."""
    for path in ROOT.glob("roles/*/meta/main.yml"):
        about = yaml.safe_load(path.read_text(encoding="utf-8"))["galaxy_info"]
        assert about["standalone"] is False, path
        assert "platforms" not in about, path
