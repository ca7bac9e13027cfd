# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch or number that is given as text (-e x=false, -e y=5) is one wherever roles use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("playbooks", "roles/*/tasks", "roles/*/vars", "roles/*/defaults", "roles/*/handlers")
CONDITIONS = ("when", "that", "until", "failed_when", "changed_when")
JINJA = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)


def _options(kind: str) -> set[str]:
    found: set[str] = set()
    for file in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            options = (entry.get("options") or {}).items()
            found |= {name for name, about in options if about.get("type") == kind}
    return found


def _expressions(node: Any, condition: bool = False) -> Iterator[str]:
    """Jinja's, of what a file of YAML holds."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _expressions(value, key in CONDITIONS)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value, condition)
    elif isinstance(node, str):
        yield from [node] if condition else JINJA.findall(node)


def _bare(node: Any, names: set[str]) -> list[str]:
    """Expressions with a switch but no `| bool`.

    One that is nothing but the switch hands it on; the module that takes it converts it.
    """
    use = re.compile(rf"(?<![\w'.])({'|'.join(sorted(names))})(?![\w'])(?!\s*\|\s*bool\b)")
    # In text in quotes, people read of it.
    return [
        text
        for text in _expressions(node)
        if use.search(re.sub(r"'[^']*'", "''", text)) and text[2:-2].strip() not in names
    ]


@pytest.mark.parametrize(
    "text", ["when: a", "when: [b, not a]", "x: '{{ a and b }}'", "x: '{% if a %}'"]
)
def test_uses_are_found(text: str) -> None:
    assert _bare(yaml.safe_load(text), {"a"})


@pytest.mark.parametrize(
    "text", ["when: a | bool", "when: [not a|bool]", "x: '{{ a }}'", "a: true"]
)
def test_what_is_no_fault(text: str) -> None:
    assert not _bare(yaml.safe_load(text), {"a"})


def _uses(find: Callable[[Any, set[str]], list[str]], names: set[str]) -> list[str]:
    files = [file for folder in FOLDERS for file in sorted(ROOT.glob(f"{folder}/**/*.yml"))]
    return [
        f"{file.relative_to(ROOT)}: {text}"
        for file in files
        for text in find(yaml.safe_load(file.read_text(encoding="utf-8")), names)
    ]


def test_a_switch_is_read_as_one() -> None:
    switches = _options("bool")
    assert "install_replace_repository_key" in switches
    assert _uses(_bare, switches) == []


def _as_text(node: Any, names: set[str]) -> list[str]:
    """Expressions that calculate or compare with a number but have no `| int` for it.

    Of two texts `+` makes another one, and modules and filters convert what they are given.
    """
    name = rf"(?<![\w'.])({'|'.join(sorted(names))})(?![\w'])"
    sign = r"(?:[-+*/<>]|//|[<>=!]=)"
    use = re.compile(rf"{name}\s*{sign}|{sign}\s*{name}(?!\s*\|\s*(?:int|float)\b)")
    return [text for text in _expressions(node) if use.search(re.sub(r"'[^']*'", "''", text))]


@pytest.mark.parametrize("text", ["x: '{{ a + 5 }}'", "x: '{{ 5 + a }}'", "when: b or a > 0"])
def test_calculations_are_found(text: str) -> None:
    assert _as_text(yaml.safe_load(text), {"a"})


@pytest.mark.parametrize(
    "text", ["x: '{{ a | int + 5 }}'", "x: '{{ a }}'", "when: 0 < a | int", "x: '{{ -b }}'"]
)
def test_calculations_that_are_no_fault(text: str) -> None:
    assert not _as_text(yaml.safe_load(text), {"a"})


def test_a_number_is_calculated_with_as_one() -> None:
    numbers = _options("int")
    assert "trial_timeout" in numbers
    assert _uses(_as_text, numbers) == []
