# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold one JSON object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    json_file.write(path, {"b": [1], "a": "ä"})
    assert path.read_text() == '{\n  "a": "\\u00e4",\n  "b": [\n    1\n  ]\n}\n'
    assert path.stat().st_mode & 0o777 == 0o644
    assert json_file.read(path) == {"a": "ä", "b": [1]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_people_read_letters_of_any_script() -> None:
    assert json_file.encode({"a": "ñ"}, ascii_only=False) == '{\n  "a": "ñ"\n}\n'


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"a": NaN}', "[" * 10_000])
def test_anything_else_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    assert json_file.read(tmp_path / "a.json") is None


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert json_file.read(tmp_path / "a.json") is None
    assert json_file.read(tmp_path) is None


def test_a_failed_write_leaves_the_old_object(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    json_file.write(path, {"a": 1})
    bad: dict[str, Any] = {"a": object()}
    with pytest.raises(TypeError):
        json_file.write(path, bad)
    assert json.loads(path.read_text()) == {"a": 1}
