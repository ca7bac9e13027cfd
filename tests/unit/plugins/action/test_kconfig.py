# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fragments on the control node become options of the module."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import kconfig


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def execute(self: Any, module_name: str, module_args: Any, task_vars: Any) -> Any:
        return {"changed": False, "given": module_args}

    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(ActionBase, "_execute_module", execute)

    def run(**arguments: Any) -> Any:
        action = kconfig.ActionModule.__new__(kconfig.ActionModule)
        action._loader = DataLoader()
        action._loader.set_basedir(str(tmp_path))
        action._task = SimpleNamespace(
            args={"tree": "/t", **arguments}, get_search_path=lambda: [str(tmp_path)]
        )
        return action.run(None, {})

    return run


def test_the_last_fragment_wins_and_all_win_over_optional(act: Any, tmp_path: Path) -> None:
    (tmp_path / "a.config").write_text("# CONFIG_NET is not set\nCONFIG_PM=y\n")
    (tmp_path / "b.config").write_text("# CONFIG_PM is not set\n")
    given = act(fragments=["a.config", "b.config"], optional={"NET": "y", "X": "m"})["given"]
    assert given == {"tree": "/t", "optional": {"NET": "n", "PM": "n", "X": "m"}}
    # Of the members of a choice the last one counts.
    assert list(given["optional"]) == ["X", "NET", "PM"]


def test_without_fragments(act: Any) -> None:
    assert act(fragments=[])["given"] == {"tree": "/t", "optional": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "no such file on the control node"), ("NET=y\n", "line 1 is 'NET=y'")],
)
def test_what_is_no_fragment_is_named(act: Any, tmp_path: Path, text: str, words: str) -> None:
    if text:
        (tmp_path / "b.config").write_text(text)
    (tmp_path / "a.config").write_text("")
    with pytest.raises(
        AnsibleActionFail, match=r"config_fragments\[1\]: cannot read b.config"
    ) as failure:
        act(fragments=["a.config", "b.config"])
    assert words in str(failure.value)
