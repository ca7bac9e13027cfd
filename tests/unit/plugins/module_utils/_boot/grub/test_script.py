# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words and commands of GRUB's shell."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import (
    Head,
    Word,
    assigned,
    command,
    head,
    logical_lines,
    statements,
)


def texts(line: str) -> list[list[str]]:
    return [[word.text for word in statement] for statement in statements(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set a=b; echo c", [["set", "a=b"], ["echo", "c"]]),
        ("a && b | c", [["a"], ["b"], ["c"]]),
        ("menuentry 'a b' {", [["menuentry", "a b"], ["{"]]),
        (r"""echo a'b 'c"d\"e"\ f""", [["echo", 'ab cd"e f']]),
        ("echo a # b", [["echo", "a"]]),
        ("echo a#b", [["echo", "a#b"]]),
        ("menuentry $menuentry_id_option x", [["menuentry", "--id", "x"]]),
        ("", []),
    ],
)
def test_the_commands_of_a_line(line: str, expected: list[list[str]]) -> None:
    assert texts(line) == expected


@pytest.mark.parametrize(
    ("word", "unknown", "splits"),
    [
        ("$a", True, True),
        ("x${a}", True, True),
        ('"$a"', True, False),
        ("'$a'", False, False),
        (r'"\$a"', False, False),
    ],
)
def test_a_word_with_a_variable_is_unknown(word: str, unknown: bool, splits: bool) -> None:
    ((found,),) = statements(word)
    assert (found.unknown, found.splits) == (unknown, splits)


def test_the_command_behind_words_of_control() -> None:
    (statement,) = statements("if ! test -f x")
    assert [word.text for word in command(statement)] == ["test", "-f", "x"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("menuentry 'A' --class os --id a {", {"title": "A", "id": "a"}),
        ("submenu 'A' $menuentry_id_option 'a' {", {"kind": "submenu", "title": "A", "id": "a"}),
        ("menuentry --unrestricted 'A' {", {"title": "A", "unrestricted": True}),
        ("menuentry --users=ada 'A' {", {"title": "A", "users": "ada"}),
        ('menuentry "$a" {', {"title": "$a", "unknown": True, "unknown_name": True}),
    ],
)
def test_the_head_of_an_entry(line: str, expected: dict[str, Any]) -> None:
    assert head(line) == Head(**{"kind": "menuentry", **expected})


def test_who_may_start_an_entry_and_by_which_name() -> None:
    assert head("menuentry A {").restricted
    assert not head("menuentry A --unrestricted {").restricted
    assert head("menuentry A --unrestricted --users '' {").restricted
    assert head("menuentry A --id a {").name == "a"
    assert head("menuentry 6A {").name == ""


def test_the_lines_of_a_file() -> None:
    text = "a \\\nb\n  menuentry x { c; d }\nif e; then f; }\n# }\n"
    assert list(logical_lines(text)) == [
        "a b",
        "menuentry x {",
        "c; d",
        "}",
        "if e; then f",
        "}",
        "# }",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set a=b", Word("b")),
        ("a=b", Word("b")),
        ('a="$c"', Word("$c", True)),
        ("set ab=c", None),
        ("echo a=b", None),
        ("set", None),
    ],
)
def test_what_a_variable_becomes(line: str, expected: Word | None) -> None:
    assert assigned(statements(line)[0], "a") == expected
