# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out of a set has another order in each process: it is never the order of a list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
# Ansible's filters that make a list of a set.
_SETS = re.compile(r"\|\s*(?:ansible\.builtin\.)?((?:symmetric_)?difference|intersect|union)\s*\(")
# What may be done with it; `unique` keeps the order.
_ORDERED = re.compile(r"\s*(\|\s*(sort|length|count)\b|(==|!=|in)\s)")


def _end(text: str, start: int) -> int:
    """Behind the parenthesis that is closed, of which `start` is the position after it."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def unordered(text: str) -> list[str]:
    """Filters of which the order is taken for one. Of several in a chain, the last decides."""
    found = []
    for match in _SETS.finditer(text):
        rest = text[_end(text, match.end()) :]
        if not _ORDERED.match(rest) and not _SETS.match(rest.lstrip()):
            found.append(match[1])
    return found


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _texts(part)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a | difference(b) | first }}",
        "{{ (a | intersect([b])) + c }}",
        "{{ a|union(b | sort) }}",
        "{{ a | difference(f(b)) | map('x') | sort | intersect(c) }}",
    ],
)
def test_an_order_that_is_none_is_found(text: str) -> None:
    assert unordered(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a | difference(b) | sort }}",
        "{{ a | union(b) | difference(f(c)) | sort | first }}",
        "a | difference(b) | length == 0",
        "{{ a | unique | reject('in', b) | first }}",
        "the union of both; a difference (in time)",
    ],
)
def test_what_has_an_order(text: str) -> None:
    assert not unordered(text)


def test_no_play_takes_the_order_of_a_set() -> None:
    files = [*ROOT.glob("roles/*/*/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    wrong = [
        f"{file.relative_to(ROOT)}: {name} in {text.strip()}"
        for file in sorted(files)
        for text in _texts(yaml.safe_load(file.read_text(encoding="utf-8")))
        for name in unordered(text)
    ]
    assert wrong == []


_OF_A_SET = (ast.Set, ast.SetComp)
_KEEPS = {"sorted", "len", "any", "all", "set", "frozenset", "min", "max", "sum", "bool"}


def _is_set(node: ast.AST) -> bool:
    if isinstance(node, _OF_A_SET):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.BitAnd, ast.BitOr)):
        return _is_set(node.left) or _is_set(node.right)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("set", "frozenset")
    )


def taken_from_sets(source: str) -> list[int]:
    """Lines on which a set that is made there becomes a sequence."""
    found = []
    tree = ast.parse(source)
    # What goes into a function that has no use for an order.
    fine = {
        id(one)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _KEEPS
        for one in node.args
    }
    for node in ast.walk(tree):
        iterated: list[ast.expr] = []
        if (
            isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp))
            and id(node) not in fine
        ):
            iterated = [one.iter for one in node.generators]
        elif isinstance(node, ast.For):
            iterated = [node.iter]
        elif isinstance(node, ast.Call) and (
            getattr(node.func, "id", "") in ("list", "tuple", "enumerate", "iter")
            or getattr(node.func, "attr", "") in ("join", "fromkeys", "extend")
        ):
            iterated = [*node.args]
        elif isinstance(node, ast.Starred) and id(node) not in fine:
            iterated = [node.value]
        found += [one.lineno for one in iterated if _is_set(one)]
    return found


def test_a_set_that_becomes_a_list_is_found() -> None:
    for text in ("list(set(a))", "for b in {*a}: pass", "','.join(set(a) - set(b))"):
        assert taken_from_sets(text)
    for text in ("sorted(set(a))", "all(x for x in set(a))", "sorted(x for x in {*a})"):
        assert not taken_from_sets(text)


def test_no_plugin_takes_the_order_of_a_set() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted(ROOT.glob("plugins/**/*.py"))
        for line in taken_from_sets(file.read_text(encoding="utf-8"))
    ]
    assert wrong == []
