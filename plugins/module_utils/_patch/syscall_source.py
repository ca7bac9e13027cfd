# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a syscall in a C source: `SYSCALL_DEFINEn(name, type, name, …)`.

Not a preprocessor: comments, strings, directives and what `#if 0` takes out do not count; any other
condition may hold. Raises SourceError and nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text

#: Of a syscall, as registers have room for.
MOST_ARGUMENTS = 6
#: Definitions that a message names.
_SHOWN = 3
# Of a definition in its file: nobody's is as long.
_LONGEST = 1 << 12
# A string or character first, as either may hold what looks like a comment. What is not closed goes
# to the end of the line, a comment to that of the file.
_ASIDE = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|/\*.*?(?:\*/|\Z)|//[^\n]*""",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w*)[ \t]*(.*)")
_DEFINITION = re.compile(r"\bSYSCALL_DEFINE(\w*)\s*\(\s*(\w+)\s*")
_EXAMPLE = "write type, comma, name of each, as in `long, a, long, b`"


class SourceError(Exception):
    """The source does not define the syscall; the message is a sentence about it."""


class Parameter(NamedTuple):
    type: str
    name: str


class Definition(NamedTuple):
    """As it is written: SYSCALL_DEFINE and `number`, and what is between its commas."""

    number: str
    name: str
    fields: list[str]

    def __str__(self) -> str:
        return f"SYSCALL_DEFINE{self.number}({self.name}{', …' if self.fields else ''})"


def code_of(text: str) -> str:
    """The lines that the compiler may see; a string is left as an empty one."""
    spliced = text.replace("\r\n", "\n").replace("\\\n", "")
    plain = _ASIDE.sub(lambda match: '""' if match["text"] else " ", spliced)
    kept_lines: list[str] = []
    # Of each open #if: whether its lines count, and whether a condition of it is known to hold.
    open_ifs: list[tuple[bool, bool]] = []
    for line in plain.split("\n"):
        directive = _DIRECTIVE.match(line)
        if not directive:
            if all(counts for counts, _holds in open_ifs):
                kept_lines.append(line)
            continue
        word, condition = directive[1], directive[2].strip("() \t")
        if word in ("if", "ifdef", "ifndef"):
            known = condition if word == "if" else ""
            open_ifs.append((known != "0", known == "1"))
        elif word in ("elif", "else") and open_ifs:
            held = open_ifs[-1][1]
            counts = not held and not (word == "elif" and condition == "0")
            open_ifs[-1] = (counts, held or (word == "elif" and condition == "1"))
        elif word == "endif" and open_ifs:
            open_ifs.pop()
    return "\n".join(kept_lines)


def _fields(code: str, start: int) -> tuple[list[str], int]:
    """What stands between the commas up to the closing parenthesis, and where that is.

    A type may have parentheses, and commas in them.
    """
    depth, fields, begin = 0, [], start
    end = min(len(code), start + _LONGEST)
    for position in range(start, end):
        char = code[position]
        if char in ";{":  # never closed
            end = position
            break
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char in ",)" and not depth:
            fields.append(" ".join(code[begin:position].split()))
            begin = position + 1
            if char == ")":
                end = begin
                break
    return [field for field in fields if field], end


def definitions(text: str) -> list[Definition]:
    """All that the source has, in their order."""
    code = code_of(text)
    found = []
    match = _DEFINITION.search(code)
    while match:
        fields, end = _fields(code, match.end())
        found.append(Definition(match[1], match[2], fields))
        match = _DEFINITION.search(code, end)
    return found


def parameters(text: str, name: str) -> list[Parameter]:
    """Those of the syscall `name`, as its definition has them."""
    found = definitions(text)
    definition = next((one for one in found if one.name == name), None)
    if definition is None:
        raise SourceError(f"has no SYSCALL_DEFINEn({name}, …): {_instead(found)}")
    fields = definition.fields
    if not definition.number:
        raise SourceError(
            f"has {definition} without the number of its arguments: "
            f"write SYSCALL_DEFINE{len(fields) // 2}"
        )
    if not definition.number.isdigit() or int(definition.number) > MOST_ARGUMENTS:
        raise SourceError(
            f"has {definition}: a syscall takes at most {MOST_ARGUMENTS} arguments; "
            "more go into a struct"
        )
    wanted = int(definition.number)
    names = all(re.fullmatch(r"[A-Za-z_]\w*", field) for field in fields[1::2])
    if len(fields) != 2 * wanted or not names:
        if names and len(fields) % 2 == 0:
            problem = f"of {len(fields) // 2} arguments, not {wanted}"
        else:
            problem = f"of {len(fields)} parts behind its name, not {2 * wanted}"
        raise SourceError(f"has {definition} {problem}: {_EXAMPLE}")
    return [Parameter(fields[i], fields[i + 1]) for i in range(0, len(fields), 2)]


def _instead(found: list[Definition]) -> str:
    if not found:
        return "none is outside of comments and `#if 0`"
    return f"it has {plain_text.few(list(map(str, found)), _SHOWN)}"
