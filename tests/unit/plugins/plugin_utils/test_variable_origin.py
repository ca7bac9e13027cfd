# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.oslab.kernel.plugins.plugin_utils import variable_origin


def test_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.yml"
    path.write_text("---\na: x\nb: y\n")
    found = DataLoader().load_from_file(str(path))
    assert variable_origin.of(found["b"]) == f"{path}:3"
    monkeypatch.chdir(tmp_path)
    assert variable_origin.of(found["b"]) == "all.yml:3"


def test_of_what_no_file_has() -> None:
    assert variable_origin.of("x") == ""
    assert variable_origin.of(5) == ""


def test_texts_stay_what_they_are() -> None:
    value = {"a": ["{{ b }}", 5], "c": "x"}
    assert variable_origin.trusted(value) == value


def test_a_secret() -> None:
    class EncryptedString:
        pass

    assert variable_origin.is_secret([{"a": EncryptedString()}])
    assert not variable_origin.is_secret([{"a": "x"}, 5, ("y",)])
