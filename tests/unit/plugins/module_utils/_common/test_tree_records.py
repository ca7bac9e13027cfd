# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records in a kernel tree."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file, tree_records


def test_a_tree_of_the_role_is_known_by_its_record(tmp_path: Path) -> None:
    assert tree_records.source(tmp_path) is None
    (tmp_path / tree_records.DIRECTORY).mkdir()
    json_file.write(tmp_path / tree_records.SOURCE, {"version": "6.8.0"})
    assert tree_records.source(tmp_path) == {"version": "6.8.0"}


def test_a_record_that_is_broken_is_none(tmp_path: Path) -> None:
    (tmp_path / tree_records.DIRECTORY).mkdir()
    (tmp_path / tree_records.SOURCE).write_text("{")
    assert tree_records.source(tmp_path) is None
