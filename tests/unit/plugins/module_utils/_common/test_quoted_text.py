# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of strangers in our messages."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import quoted_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.quoted_text import (
    shown,
    without_password,
)


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
    assert shown(text) == plain


@pytest.mark.parametrize("text", ["x" * 201, "x" * 100_000, " " * 100_000 + "x"])
def test_what_is_long_is_cut(text):
    assert len(shown(text)) <= 201
    assert shown(text).endswith("…")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.example/b", "https://a.example/b"),
        ("https://me:secret@a.example:8/b?c", "https://a.example:8/b?c"),
        ("file:///srv/mirror@home", "file:///srv/mirror@home"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_a_password_is_not_shown(url, told):
    assert without_password(url) == told


def test_a_message_fits_a_terminal_and_what_is_copied_is_not_cut():
    path = "/" + "x" * 120
    text = f"{'word ' * 40}\n\tkept as  it is\n{path} is long"
    lines = quoted_text.wrapped(text).split("\n")
    assert [line for line in lines if len(line) > quoted_text.WIDTH] == [path]
    assert "\tkept as  it is" in lines
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], ""), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_few(texts: list[str], expected: str) -> None:
    assert quoted_text.few(texts, 2) == expected


def test_few_of_what_has_commas() -> None:
    assert quoted_text.few(["a, b", "c", "d"], 2, "; ") == "a, b; c; and 1 more"
