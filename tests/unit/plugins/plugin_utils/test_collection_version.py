# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import collection_version


def test_the_version_of_a_checkout_or_an_installed_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_version, "ROOT", tmp_path)
    assert collection_version.collection_version() == "of unknown version"
    (tmp_path / "galaxy.yml").write_text("version: 1.2.3\n")
    assert collection_version.collection_version() == "1.2.3"
    manifest = {"collection_info": {"version": "9.8.7"}}
    (tmp_path / "MANIFEST.json").write_text(json.dumps(manifest))
    assert collection_version.collection_version() == "9.8.7"


@pytest.mark.parametrize(
    ("running", "good"),
    [("2.14.18", False), ("2.15.13", False), ("2.16.0", True), ("2.22.0.dev0", True)],
)
def test_an_ansible_that_is_too_old_is_named(running: str, good: bool) -> None:
    problem = collection_version.ansible_problem(running)
    assert (problem == "") is good
    if not good:
        assert f"ansible-core {running} runs this" in problem
        assert ">=2.16.0" in problem
