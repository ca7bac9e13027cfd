# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of others, made safe and short enough to print.

A host, a mirror or a compiler chooses what its text is made of. Printed as it is, it could move the
cursor, change colours and the window's title, fill the clipboard, reverse the order of letters, or
write a line that looks like one of ours.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

#: Characters of a sentence; the whole text is in the result of the task, or in a log.
LENGTH = 600
#: Characters of a cell of a table: a sha256, and some more.
CELL = 80
#: Characters of what a sentence quotes.
QUOTE = 200
#: Of a line of a message: Ansible shows it four to eight columns to the right.
WIDTH = 92
FEW = 6  # names in a sentence

_ACCOUNT = re.compile(r"[A-Za-z+]+://[^/]*@")

_MARKS = ("Mn", "Me")
# A letter has one or two accents. Dozens of them would be drawn over the lines above and below.
_MOST_MARKS = 2
# Drawn as nothing, although their category is that of letters or of accents.
_INVISIBLE = frozenset(
    chr(code)
    for codes in (
        *(range(0x034F, 0x0350), range(0x115F, 0x1161), range(0x17B4, 0x17B6)),
        *(range(0x180B, 0x1810), range(0x3164, 0x3165), range(0xFE00, 0xFE0E)),
        *(range(0xFFA0, 0xFFA1), range(0xE0100, 0xE01F0)),
    )
    for code in codes
)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS


def _named(character: str) -> str:
    """As in a Python string: `\\x1b`, `\\u202e`."""
    named = character.encode("unicode_escape").decode("ascii")
    return named if named != character else f"\\x{ord(character):02x}"


def escape(text: str, keep: str = "", also: str = "") -> str:
    """Each character that is not plainly visible as an escape, such as `\\x1b` or `\\u202e`.

    Visible are letters, digits, signs, emoji, the space, and two accents a letter. All of Unicode's
    categories Cc, Cf, Cs, Co, Cn, Zl and Zp become escapes, and so do spaces other than the common
    one. `keep` names characters that stay, as the newline where a text may have several lines;
    `also` names characters that become escapes, as the one that separates columns.

    The result cannot be turned back: a backslash that was there stays one.
    """
    if text.isascii() and text.isprintable() and not any(one in text for one in also):
        return text
    found = []
    marks = _MOST_MARKS  # at the beginning an accent has no letter
    for character in text:
        visible = character.isprintable() and character not in _INVISIBLE
        if character in keep:
            marks = _MOST_MARKS
        elif visible and _is_mark(character):
            visible = marks < _MOST_MARKS
            marks += 1
        else:
            visible = visible and character not in also
            # What is shown as an escape, or is a space, is no letter either.
            marks = 0 if visible and character != " " else _MOST_MARKS
        found.append(character if visible or character in keep else _named(character))
    return "".join(found)


def cut(text: str, length: int) -> str:
    """At most so many characters, the last of them an ellipsis if there were more."""
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"


def cell(value: Any, length: int = CELL) -> str:
    """One line of a table, or a part of one; the character between columns becomes an escape."""
    text = str(value)[: length + 1]  # what comes later is not looked at, however long it is
    return cut(escape(text, also="|"), length)


def sentence(value: Any, length: int = LENGTH) -> str:
    """One line: whitespace of any kind becomes a space."""
    text = str(value)
    line = escape(" ".join(text[: 8 * length].split()))
    return cut(line if len(text) <= 8 * length else f"{line}…", length)


def shown(text: str, length: int = QUOTE) -> str:
    """A part of a sentence."""
    return sentence(text, length)


def lines(value: Any) -> str:
    """Text of several lines, of any length."""
    return escape(str(value).replace("\r\n", "\n"), keep="\n\t")


def width(text: str) -> int:
    """Columns of a terminal that a text without control characters takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if _is_mark(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def few(texts: Sequence[str], most: int = FEW, separator: str = ", ") -> str:
    """The first `most` of them, and how many more there are."""
    more = f"{separator.lstrip(',')}and {len(texts) - most} more" if len(texts) > most else ""
    return separator.join(texts[:most]) + more


def wrapped(text: str, width: int = WIDTH) -> str:
    """The same in lines that fit a terminal; what can be copied is not cut."""
    return "\n".join(
        line
        if len(line) <= width
        else textwrap.fill(
            line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        for line in text.split("\n")
    )


def account_problem(url: str, instead: str) -> str:
    """Of an address that is recorded and shown, with a user's name in it; otherwise empty."""
    if not _ACCOUNT.match(url):
        return ""
    return (
        f"it holds a name or a password, which would be in logs: take an address without one, or "
        f"{instead}"
    )


def without_password(url: str) -> str:
    """The address without the name and password of a user, which are nobody else's business."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all; whoever opens it says so
        return url
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
