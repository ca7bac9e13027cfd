# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages about the roles: tables that are made, and examples that Ansible takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.integration.galaxy import role_tables
from ansible_collections.oslab.kernel.tests.integration.galaxy.installation import ROOT, Installed

ROLES = [path.name for path in role_tables.places()]
EXAMPLE = re.compile(r"^## Example\n.*?^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def specification(role: str) -> dict[str, Any]:
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]
    return found


def example(role: str) -> list[dict[str, Any]]:
    match = EXAMPLE.search((ROOT / "roles" / role / "README.md").read_text(encoding="utf-8"))
    assert match, f"{role}/README.md has no section 'Example' with YAML"
    plays: list[dict[str, Any]] = yaml.safe_load(match[1])
    return plays


def calls(node: Any, role: str, above: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables that each call of the role gets, its play's included."""
    if isinstance(node, list):
        for one in node:
            yield from calls(one, role, above)
    elif isinstance(node, dict):
        given = {**above, **(node.get("vars") or {})}
        named = [node.get("role")]
        for module in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
            named.append((node.get(module) or {}).get("name"))
        if f"oslab.kernel.{role}" in named:
            yield given
        for value in node.values():
            yield from calls(value, role, given)


def test_each_role_has_a_readme() -> None:
    assert sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir()) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_the_table_is_up_to_date(role: str) -> None:
    place = ROOT / "roles" / role
    assert (place / "README.md").read_text(encoding="utf-8") == role_tables.readme(place), (
        "run `make docs`"
    )


def test_the_reference_is_up_to_date() -> None:
    assert role_tables.REFERENCE.read_text(encoding="utf-8") == role_tables.reference(), (
        "run `make docs`"
    )


def test_the_most_used_variables_exist() -> None:
    text = role_tables.REFERENCE.read_text(encoding="utf-8").partition(role_tables.BEGIN)[0]
    known = {
        name
        for role in ROLES
        for one in specification(role).values()
        for name in one.get("options", {})
    }
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", text))
    assert len(named) > 20
    assert named - known == set()


@pytest.mark.parametrize("role", ROLES)
def test_an_example_has_what_the_role_needs_and_nothing_that_it_does_not_know(role: str) -> None:
    options = specification(role)["main"].get("options") or {}
    found = list(calls(example(role), role, {}))
    assert found
    for given in found:
        assert set(given) <= set(options)
        assert {name for name, one in options.items() if one.get("required")} <= set(given)


def test_ansible_takes_the_examples(installed: Installed, tmp_path: Path) -> None:
    plays = [play for role in ROLES for play in example(role)]
    (tmp_path / "examples.yml").write_text(yaml.safe_dump(plays))
    done = installed.run(
        *("ansible-playbook", "--syntax-check", "-i", "kernel_builders,"), tmp_path / "examples.yml"
    )
    assert done.returncode == 0, done.stderr


def test_a_table(tmp_path: Path) -> None:
    (tmp_path / "defaults").mkdir()
    (tmp_path / "meta").mkdir()
    (tmp_path / "defaults/main.yml").write_text("a: ''\nb: [1]\nlong: '" + "x" * 99 + "'\n")
    specs = {
        "main": {
            "options": {
                "tree": {"required": True, "type": "path", "description": "Top | of V(it)."},
                "a": {"description": ["One C(x). Two.", "Three."], "choices": ["", "y"]},
                "b": {"type": "list", "elements": "int", "description": "B."},
                "long": {"description": "L."},
                "deploy": {"type": "int", "default": 0, "description": "D."},
            }
        }
    }
    (tmp_path / "meta/argument_specs.yml").write_text(
        yaml.safe_dump({"argument_specs": specs}, sort_keys=False)
    )
    assert role_tables.table(tmp_path)[2:] == [
        r"| `tree` | path | (required) | Top \| of `it`. |",
        '| `a` | str | `""` | One `x`. One of `""`, `y`. |',
        "| `b` | list of int | `[1]` | B. |",
        "| `long` | str | [defaults](defaults/main.yml) | L. |",
        "| `deploy` | int | `0` | D. |",
    ]


def test_entry_points_are_listed_where_there_are_several(tmp_path: Path) -> None:
    specification = tmp_path / "meta/argument_specs.yml"
    specification.parent.mkdir()
    main = "argument_specs:\n  main: {short_description: Do it}\n"
    specification.write_text(main)
    assert role_tables.entry_points(tmp_path) == []
    specification.write_text(f"{main}  state: {{short_description: Look}}\n")
    assert role_tables.entry_points(tmp_path)[-2:] == ["| `main` | Do it |", "| `state` | Look |"]


@pytest.mark.parametrize(
    "text", ["", role_tables.BEGIN, f"{role_tables.BEGIN}{role_tables.END}" * 2]
)
def test_a_readme_without_its_markers_is_named(tmp_path: Path, text: str) -> None:
    for name in ("defaults", "meta"):
        (tmp_path / name).mkdir()
    (tmp_path / "defaults/main.yml").touch()
    (tmp_path / "meta/argument_specs.yml").write_text("argument_specs: {main: {}}\n")
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(role_tables.MarkersError, match="should have, once each"):
        role_tables.readme(tmp_path)
