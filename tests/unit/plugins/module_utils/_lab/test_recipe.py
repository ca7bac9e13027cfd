# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something is made once for each recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._lab import recipe


class Recipe(recipe.Recipe):
    name = "thing"

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def facts(self) -> dict[str, Any]:
        return {"size": self.size, "name": self.name}


class Builder(recipe.Builder):
    lock_seconds = 1.0
    suffix = ".json"

    def __init__(self, directory: Path, size: int = 1) -> None:
        self.directory, self.recipe = directory, Recipe(size)
        self.builds = 0

    def _build(self, lock: int) -> None:
        self.builds += 1
        self.final.write_text(json.dumps(self.recipe.facts()))


def test_the_identity_is_of_all_facts() -> None:
    assert Recipe().identity() == Recipe().identity()
    assert Recipe().identity() != Recipe(2).identity()
    backwards = Recipe()
    backwards.facts = lambda: dict(reversed(Recipe().facts().items()))  # type: ignore[method-assign]
    assert backwards.identity() == Recipe().identity()
    title, _minus, digest = Recipe().identity().partition("-")
    assert (title, len(digest)) == ("thing", 12)


def test_it_is_made_once(tmp_path: Path) -> None:
    builder = Builder(tmp_path / "new")
    assert builder.ensure()
    assert not builder.ensure()
    assert builder.builds == 1
    assert builder.final == tmp_path / "new" / f"{builder.recipe.identity()}.json"
    assert Builder(tmp_path / "new", size=2).ensure()


def test_another_process_may_have_made_it_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder(tmp_path)
    answers = iter([False, True])
    monkeypatch.setattr(builder, "exists", lambda: next(answers))
    assert not builder.ensure()
    assert builder.builds == 0


def test_what_a_module_returns(tmp_path: Path) -> None:
    builder = Builder(tmp_path)
    predicted = builder.result(check_mode=True)
    assert builder.builds == 0
    assert predicted == {
        "changed": True,
        "id": builder.recipe.identity(),
        "path": str(builder.final),
        "diff": {"before": {}, "after": {"size": 1, "name": "thing"}},
    }
    made = builder.result(check_mode=False)
    assert made == {**predicted, "seconds": made["seconds"]}
    again = builder.result(check_mode=False)
    assert again["changed"] is False
    assert "diff" not in again
