# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Kconfig files of a tree say, and the explanations made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig.tree import (
    KconfigTree,
    evaluate,
    explain,
    explain_below,
    missing_below,
    srcarch,
)

KCONFIG = """\
mainmenu "Test"
source "arch/$(SRCARCH)/Kconfig"
source "missing/Kconfig"

config A
	bool "a # not a comment"
	help
		config NOT_A_SYMBOL
		depends on nothing, this is help.

			source "arch/not/this"

config B
	tristate
	prompt "b"
	depends on A && \\
		!OFF

menuconfig TOP
	bool "top"

if TOP # all of the below

menu "Inner"
	depends on A || OTHER

config LEAF
	tristate "leaf"
	select PROMPTLESS if A

endmenu

endif

config PROMPTLESS
	tristate

config NUMBER
	int "number"
	range 1 10

choice
	prompt "one of"
	depends on A

config ONE
	bool "one"

config TWO
	bool "two"

endchoice

config AFTER
	def_bool y
"""


@pytest.fixture
def tree(tmp_path: Path) -> KconfigTree:
    (tmp_path / "Kconfig").write_text(KCONFIG)
    (tmp_path / "arch" / "x86").mkdir(parents=True)
    (tmp_path / "arch" / "x86" / "Kconfig").write_text(
        'config X86\n\tdef_bool y\n\nrsource "Kconfig.more"\n'
    )
    (tmp_path / "arch" / "x86" / "Kconfig.more").write_text('config MORE\n\tstring "more"\n')
    return KconfigTree(tmp_path, "x86")


def test_all_symbols_and_only_these(tree: KconfigTree) -> None:
    expected = "X86 MORE A B TOP LEAF PROMPTLESS NUMBER ONE TWO AFTER"
    assert set(tree.symbols) == set(expected.split())


def test_types_and_prompts(tree: KconfigTree) -> None:
    types = {name: (symbol.type, symbol.prompt) for name, symbol in tree.symbols.items()}
    assert types["A"] == ("bool", True)
    assert types["B"] == ("tristate", True)
    assert types["MORE"] == ("string", True)
    assert types["PROMPTLESS"] == ("tristate", False)
    assert types["AFTER"] == ("bool", False)
    assert types["NUMBER"] == ("int", True)
    assert tree.symbols["NUMBER"].range == "1 10"


def test_dependencies_come_from_the_blocks_around_too(tree: KconfigTree) -> None:
    assert tree.symbols["LEAF"].depends == ["TOP", "A || OTHER"]
    assert tree.symbols["ONE"].depends == ["A"]
    assert tree.symbols["PROMPTLESS"].depends == tree.symbols["AFTER"].depends == []
    assert tree.symbols["PROMPTLESS"].selected_by == ["LEAF"]
    assert [part.strip() for part in tree.symbols["B"].depends[0].split("&&")] == ["A", "!OFF"]


def test_choice(tree: KconfigTree) -> None:
    assert tree.siblings("ONE") == ["TWO"]
    assert tree.siblings("A") == tree.siblings("UNKNOWN") == []


@pytest.mark.parametrize(
    ("expression", "level"),
    [
        ("Y", 2),
        ("M", 1),
        ("N", 0),
        ("ABSENT", 0),
        ("!M", 1),
        ("!(Y && N)", 2),
        ("N || M && Y", 1),
        ("M = m", 2),
        ("M=y", 0),
        ("M != n", 2),
        ("NUM >= 116", 2),
        ("NUM < 116", 0),
        ('STR = "a b"', 2),
        ("$(cc-option,-mfoo)", 2),
        ("Y || ABSENT >= 3", 2),
    ],
)
def test_evaluate(expression: str, level: int) -> None:
    values = {"Y": "y", "M": "m", "N": "n", "NUM": "116", "STR": '"a b"'}
    assert evaluate(expression, values) == level


@pytest.mark.parametrize(
    ("name", "wanted", "values", "expected"),
    [
        ("NOWHERE", "y", {}, "no Kconfig file of this tree defines it"),
        ("B", "m", {"A": "n"}, "(A=n, OFF=n)"),
        ("LEAF", "y", {"TOP": "y", "A": "m"}, "depends on A || OTHER (A=m, OTHER=n)"),
        ("PROMPTLESS", "n", {"LEAF": "y", "PROMPTLESS": "y"}, "selected by LEAF"),
        ("PROMPTLESS", "y", {}, "cannot be set by hand, it follows from others (selected by LEAF)"),
        ("ONE", "y", {"A": "y", "TWO": "y"}, "the choice is taken by TWO"),
        ("NUMBER", "99", {"NUMBER": "10"}, "its range is 1 10"),
    ],
)
def test_explain(
    tree: KconfigTree, name: str, wanted: str, values: dict[str, str], expected: str
) -> None:
    assert expected in explain(tree, name, wanted, values)


def test_nothing_to_say(tree: KconfigTree) -> None:
    assert explain(tree, "A", "y", {}) == ""


def test_why_a_symbol_is_off_down_to_what_could_be_set(tree: KconfigTree) -> None:
    explanation = explain_below(tree, "LEAF", {})
    assert explanation.startswith("depends on TOP")
    assert "depends on A || OTHER (A=n, OTHER=n)" in explanation
    assert "OTHER: no Kconfig file of this tree defines it" in explanation
    assert explain_below(tree, "A", {}) == ""
    # What must be off is not asked why it is.
    explanation = explain_below(tree, "B", {})
    assert " ".join(explanation.split()) == "depends on A && !OFF (A=n, OFF=n)"


def test_what_a_user_could_set(tree: KconfigTree) -> None:
    assert missing_below(tree, "LEAF", {}) == {"TOP": "y", "A": "y"}
    assert missing_below(tree, "A", {}) == {}
    assert missing_below(tree, "NO_SUCH", {}) == {}


def test_architectures() -> None:
    assert srcarch("x86_64") == srcarch("x86") == "x86"
    assert srcarch("aarch64") == "arm64"


def test_spaces_and_tabs_are_one(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("config A\n\tbool\n\tselect\tB\tif C\nconfig B\n\tbool\n")
    assert KconfigTree(tmp_path, "x86").symbols["B"].selected_by == ["A"]
