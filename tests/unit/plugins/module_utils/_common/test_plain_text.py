# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that a terminal obeys comes through, and what people write does."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text


def test_no_character_that_a_terminal_obeys_comes_through() -> None:
    """All of Unicode, in each of the forms."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    for shown in (
        plain_text.escape(everything),
        plain_text.cell(everything, len(everything)),
        plain_text.sentence(everything, len(everything)),
        plain_text.lines(everything).replace("\n", "").replace("\t", ""),
    ):
        left = {unicodedata.category(one) for one in set(shown)}
        assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert not set(shown) & set("\u115f\u3164\u034f\u180b\u00a0\u2003")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;mine\x07", "\\x1b]0;mine\\x07"),
        ("\x1b]52;c;cm0gLXJm\x07", "\\x1b]52;c;cm0gLXJm\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("FAILED\rok", "FAILED\\rok"),
        ("a\nok: [web1]", "a\\nok: [web1]"),
        ("a\u202eko\u202c", "a\\u202eko\\u202c"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\u2028b", "a\\u2028b"),
        ("\x7f\x08", "\\x7f\\x08"),
        ("\udc9b", "\\udc9b"),
        ("\U000e0041", "\\U000e0041"),
        ("\u0301x", "\\u0301x"),
        ("x" + "\u0301" * 4, "x\u0301\u0301\\u0301\\u0301"),
        # What people write, the boot message above all.
        ("🚀 ¡Bienvenido! Año, café, cafe\u0301, ß, Привет, 日本 ±5 — ok ✓", None),
        ("plain", None),
        ("C:\\x", None),
        ("", None),
    ],
)
def test_escapes(text: str, shown: str | None) -> None:
    assert plain_text.escape(text) == (text if shown is None else shown)


def test_nothing_in_a_cell_looks_like_the_next_one() -> None:
    assert plain_text.cell("6.8 | ok") == "6.8 \\x7c ok"
    assert plain_text.cell("x" * 500) == "x" * (plain_text.CELL - 1) + "…"
    assert plain_text.cell("\x1b" * 500, 10) == "\\x1b\\x1b\\…"
    assert plain_text.cell(None) == "None"


def test_a_sentence_is_one_line() -> None:
    assert plain_text.sentence("  a\r\n\tb\x0b\u2028c \x1b") == "a b c \\x1b"
    assert len(plain_text.sentence("x " * 10_000)) == plain_text.LENGTH


def test_lines_stay_where_they_are_allowed() -> None:
    assert plain_text.lines("a\r\nb\tc\rd") == "a\nb\tc\\rd"


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("año", 3), ("an\u0303o", 3), ("🚀", 2), ("日本", 4), ("", 0)]
)
def test_width(text: str, columns: int) -> None:
    assert plain_text.width(text) == columns


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Not Found", "Not Found"),
        ("two\r\nlines", "two lines"),
        ("\x1b[2J\x07\x9bred\u202e", r"\x1b[2J\x07\x9bred\u202e"),
        ("lone \udcff", r"lone \udcff"),
        ("á€", "á€"),
    ],
)
def test_what_a_terminal_acts_on_is_spelled(text, plain):
    assert plain_text.shown(text) == plain


@pytest.mark.parametrize("text", ["x" * 201, "x" * 100_000, " " * 100_000 + "x"])
def test_what_is_long_is_cut(text):
    assert len(plain_text.shown(text)) <= 200
    assert plain_text.shown(text).endswith("…")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/b", "https://a.example/b"),
        ("https://me:secret@a.example:8/b?c", "https://a.example:8/b?c"),
        ("file:///srv/mirror@home", "file:///srv/mirror@home"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_a_password_is_not_shown(url, shown):
    assert plain_text.without_password(url) == shown


def test_a_message_fits_a_terminal_and_what_is_copied_is_not_cut():
    path = "/" + "x" * 120
    text = f"{'word ' * 40}\n\tkept as  it is\n{path} is long"
    lines = plain_text.wrapped(text).split("\n")
    assert [line for line in lines if len(line) > plain_text.WIDTH] == [path]
    assert "\tkept as  it is" in lines
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], ""), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_few(texts: list[str], expected: str) -> None:
    assert plain_text.few(texts, 2) == expected


def test_few_of_what_has_commas() -> None:
    assert plain_text.few(["a, b", "c", "d"], 2, "; ") == "a, b; c; and 1 more"
