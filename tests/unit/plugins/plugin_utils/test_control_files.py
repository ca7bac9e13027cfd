# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files


class Action:
    _find_needle = ActionBase._find_needle

    def __init__(self, book: Path) -> None:
        self._loader = DataLoader()
        self._loader.set_basedir(str(book))
        self._task = SimpleNamespace(get_search_path=lambda: [str(book)])


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("book", "inventory", "role")}
    for path in found.values():
        path.mkdir()
    return found


def find(places: dict[str, Path], path: str) -> str:
    action: Any = Action(places["book"])
    known = {"inventory_dir": str(places["inventory"])}
    return control_files.find(action, path, known, [str(places["role"])])


@pytest.mark.parametrize("place", ["book", "inventory", "role", "book/files", "role/files"])
def test_places(places: dict[str, Path], tmp_path: Path, place: str) -> None:
    wanted = tmp_path / place / "sub/x.c"
    wanted.parent.mkdir(parents=True)
    wanted.touch()
    assert find(places, "sub/x.c") == str(wanted)
    assert find(places, str(wanted)) == str(wanted)


def test_the_playbook_is_before_the_inventory(places: dict[str, Path]) -> None:
    for place in places.values():
        (place / "x.c").touch()
    (places["role"] / "x.c").unlink()
    assert find(places, "x.c") == str(places["book"] / "x.c")


def test_the_failure_says_where_it_was_looked_for(places: dict[str, Path]) -> None:
    with pytest.raises(AnsibleError) as caught:
        find(places, "x.c")
    for name in ("book", "inventory", "role"):
        assert str(places[name]) in str(caught.value)
    assert "Give an absolute path, or put the file beside the inventory." in str(caught.value)
    with pytest.raises(AnsibleError) as caught:
        find(places, "/nowhere/x.c")
    assert "no such file on the control node" in str(caught.value)


def test_without_an_inventory_file(places: dict[str, Path]) -> None:
    action: Any = Action(places["book"])
    with pytest.raises(AnsibleError):
        control_files.find(action, "x.c", {"inventory_dir": None})


@pytest.mark.parametrize(
    ("name", "value", "paths"),
    [
        ("patch_syscalls", [{"source": "a.c"}, {}], {"patch_syscalls[0].source": "a.c"}),
        ("patch_headers", [{"source": "a.h"}], {"patch_headers[0].source": "a.h"}),
        (
            "patch_series",
            ["a.patch", {"source": "https://x/b.patch"}, {"source": "c.patch"}],
            {"patch_series[0]": "a.patch", "patch_series[2]": "c.patch"},
        ),
        ("config_base", "x", {"config_base": "x"}),
        ("config_base", "", {}),
        ("config_fragments", ["a", "b"], {"config_fragments[0]": "a", "config_fragments[1]": "b"}),
        ("source_file", "on the builder", {}),
    ],
)
def test_paths_in_variables(name: str, value: Any, paths: dict[str, str]) -> None:
    assert dict(control_files.named_in(name, value)) == paths


@pytest.mark.parametrize(
    "name", [*control_files.FILES, "config_fragments", "patch_series", "patch_syscalls"]
)
def test_a_file_and_a_directory(tmp_path: Path, name: str) -> None:
    file = tmp_path / "x"
    file.touch()
    wanted, other = (tmp_path, file) if name in control_files.DIRECTORIES else (file, tmp_path)
    assert control_files.kind_problem(name, str(wanted)) == ""
    assert "directory" in control_files.kind_problem(name, str(other))
