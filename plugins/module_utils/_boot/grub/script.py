# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of GRUB's shell, as its own lexer separates them, and the heads of menu entries.

Nothing is run: a word with a variable in it is known to be unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words

HEADS = ("menuentry", "submenu")
# Which grub-mkconfig writes before an id.
_ID_VARIABLES = ("$menuentry_id_option", "${menuentry_id_option}")
# Options of menuentry and submenu with a value; --unrestricted has none.
_WITH_VALUE = ("class", "users", "hotkey", "source", "id")
_TOKEN = re.compile(
    r"""
      (?P<space> [ \t\r]+ )
    | (?P<single> '[^']*'? )
    | (?P<double> "(?:[^"\\]|\\.)*"? )
    | (?P<escape> \\.? )
    | (?P<variable> \$(?:\{[^}]*\}?|\w+|[?*@\#])? )
    | (?P<end> [;&|\n]+ )
    | (?P<brace> [{}] )
    | (?P<plain> [^'"\\$;&|\n{} \t\r]+ )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPED = re.compile(r'\\([$"\\])')
# What may stand before a command.
_BEFORE = ("if", "elif", "then", "else", "while", "until", "do", "!")


@dataclass(frozen=True)
class Word:
    text: str
    # Whether GRUB would put something in that is not known here, and make several words of it.
    unknown: bool = False
    splits: bool = False


@dataclass(frozen=True)
class Head:
    """The line that begins a menu entry or a submenu."""

    kind: str
    title: str = ""
    # As given by an option; GRUB takes the title where there is none.
    id: str = ""
    # The users of --users; None without it.
    users: Optional[str] = None
    unrestricted: bool = False
    # A variable decides who may start it, or how it is called.
    unknown: bool = False
    unknown_name: bool = False

    @property
    def restricted(self) -> bool:
        """Whether a superuser, where there is one, has to be there; --users counts more."""
        return self.users is not None or not self.unrestricted or self.unknown

    @property
    def name(self) -> str:
        """By which GRUB finds it; '' where that is not known, or would be read as a number."""
        name = self.id or self.title
        return "" if self.unknown_name or name[:1].isdigit() else name


class _Open:
    """The word that is being read."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.unknown = self.splits = False

    def add(self, kind: str, token: str) -> None:
        if kind == "single":
            self.parts.append(token.strip("'"))
        elif kind == "escape":
            self.parts.append(token[1:])
        elif kind == "plain":
            self.parts.append(token)
        else:
            closed = kind == "double" and token.endswith('"') and len(token) > 1
            inner = token[kind == "double" : -1 if closed else None]
            option = inner in _ID_VARIABLES
            variable = "$" in inner.replace("\\$", "") and not option
            self.unknown = self.unknown or variable
            self.splits = self.splits or (variable and kind == "variable")
            self.parts.append("--id" if option else _ESCAPED.sub(r"\1", inner))

    def word(self) -> Word:
        return Word("".join(self.parts), self.unknown, self.splits)


def statements(line: str) -> list[list[Word]]:
    """The commands of a line, each with its words; a brace is a command of its own."""
    found: list[list[Word]] = [[]]
    opened: Optional[_Open] = None
    for match in _TOKEN.finditer(line):
        kind, token = match.lastgroup or "", match[0]
        if kind not in ("space", "end", "brace"):
            if kind == "plain" and token.startswith("#") and not opened:
                break
            opened = opened or _Open()
            opened.add(kind, token)
            continue
        if opened:
            found[-1].append(opened.word())
            opened = None
        if kind == "end" and found[-1]:
            found.append([])
        elif kind == "brace":
            found += [[Word(token)], []]
    if opened:
        found[-1].append(opened.word())
    return [statement for statement in found if statement]


def command(statement: Sequence[Word]) -> Sequence[Word]:
    """Without the words that only say when it is run."""
    start = 0
    while start < len(statement) and statement[start].text in _BEFORE:
        start += 1
    return statement[start:]


def words_after(body: Sequence[str], commands: Sequence[str]) -> list[Word]:
    """What an entry gives to the last of these commands; empty if it has none of them."""
    for line in reversed(body):
        for statement in reversed(statements(line)):
            found = command(statement)
            if found and found[0].text in commands:
                return list(found[1:])
    return []


def head(line: str) -> Head:
    """Of a line that begins with one of HEADS, up to its brace."""
    found = next(iter(statements(line)), [Word("")])
    values: dict[str, Word] = {}
    plain: list[Word] = []
    unrestricted = unknown = False
    rest = iter(found[1:])
    for word in rest:
        unknown = unknown or word.splits or (word.unknown and word.text.startswith("$"))
        if word.text == "--":
            plain += rest
        elif not word.text.startswith("--"):
            plain.append(word)
        elif word.text == "--unrestricted":
            unrestricted = True
        else:
            name, equals, value = word.text[2:].partition("=")
            if name in _WITH_VALUE:
                values[name] = Word(value, word.unknown) if equals else next(rest, Word(""))
    title, given = (plain or [Word("")])[0], values.get("id", Word(""))
    named = given if given.text else title
    return Head(
        found[0].text,
        title.text,
        given.text,
        values["users"].text if "users" in values else None,
        unrestricted,
        unknown,
        named.unknown,
    )


def _starts_head(line: str) -> bool:
    return next(iter(words(line)), "") in HEADS


def _cut(line: str) -> Iterator[str]:
    """A line with whole entries in it as the lines that grub-mkconfig would write."""
    opened: list[str] = []
    start = nested = 0
    for match in _TOKEN.finditer(line):
        if match.lastgroup not in ("brace", "end"):
            continue
        inside = bool(opened) and opened[-1] == "menuentry"
        if nested or (inside and match[0] != "}"):
            nested += (match[0] == "{") - (match[0] == "}")
            continue
        piece = line[start : match.start()].strip(" \t\r;")
        start = match.end()
        if match[0] == "{" and _starts_head(piece):
            opened.append(words(piece)[0])
            yield f"{piece} {{"
            continue
        if piece:
            yield piece
        if match[0] == "}":
            yield "}"
            opened = opened[:-1]
        nested += match[0] == "{"
    rest = line[start:].strip(" \t\r;")
    if rest and not rest.startswith("#"):
        yield rest


def _closed(line: str) -> Iterator[str]:
    """A line that ends blocks begun before it, with each of these ends as a line of its own."""
    start = opened = 0
    before = "space"
    for match in _TOKEN.finditer(line):
        kind, token = match.lastgroup or "", match[0]
        between = before in ("space", "end", "brace")
        before = kind
        if between and token.startswith("#"):
            line = line[: match.start()]
            break
        if kind != "brace":
            continue
        opened += 1 if token == "{" else -1
        if opened < 0:
            opened = 0
            yield from filter(None, [line[start : match.start()].strip(" \t\r;")])
            yield token
            start = match.end()
    yield from filter(None, [line[start:].strip(" \t\r;") if start else line])


def logical_lines(text: str) -> Iterator[str]:
    """Lines without spaces around them, joined at a backslash, cut at the braces of entries."""
    before: list[str] = []
    for raw in lines(text):
        if (len(raw) - len(raw.rstrip("\\"))) % 2:
            before.append(raw[:-1])
            continue
        line = "".join([*before, raw]).strip(" \t\r")
        before = []
        if "}" in line and line != "}" and not _starts_head(line) and not line.startswith("#"):
            yield from _closed(line)
        elif not _starts_head(line) or (line.endswith("{") and line.count("{") == 1):
            yield line
        else:
            yield from _cut(line)
    yield from filter(None, ["".join(before).strip(" \t\r")])


def assigned(command: Sequence[Word], name: str) -> Optional[Word]:
    """What a command makes of a variable; None if it is none that sets it."""
    given = command[1:] if command[0].text == "set" else command[:1]
    for word in given[:1]:
        variable, equals, value = word.text.partition("=")
        if equals and variable == name:
            return Word(value, word.unknown)
    return None
