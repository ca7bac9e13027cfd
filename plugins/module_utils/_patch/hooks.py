# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the hooks that count syscalls are in the functions that the patch names.

patch(1) looks for the lines around a change, not for its function: in another kernel the same
lines may stand in another function, which would then be counted. The function of each hook is in
the patch itself: the last one that begins above it in its piece, or that of the line `@@ … @@`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Optional

_HOOK = re.compile(r"\boslab_count\w*\(")
_PIECE = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)")
_SYSCALL = re.compile(r"((?:COMPAT_)?SYSCALL_DEFINE\d)\(\s*(\w+)")
_FUNCTION = re.compile(r"[A-Za-z_][^(=]*?\b(\w+)\s*\(")


class Hook(NamedTuple):
    """A call that counts, and the function that it is in; None where that is not known."""

    function: Optional[str]
    line: str


def function_in(line: str) -> Optional[str]:
    """The function that begins with a line, as `SYSCALL_DEFINE3(open)` or `do_open`."""
    if line.rstrip().endswith((";", ":")):  # a declaration, a label
        return None
    syscall = _SYSCALL.match(line)
    if syscall:
        return f"{syscall.group(1)}({syscall.group(2)})"
    function = _FUNCTION.match(line)
    return function.group(1) if function else None


def _walk(lines: Iterable[str], function: Optional[str]) -> Iterator[tuple[Optional[str], str]]:
    """Each line with its function; `function` is that of the first one."""
    for line in lines:
        function = None if line.startswith("}") else function_in(line) or function
        yield function, line


def hooks_in(text: str) -> list[Hook]:
    """All hooks of a C source, in their order."""
    return [
        Hook(function, line.strip())
        for function, line in _walk(text.splitlines(), None)
        if _HOOK.search(line)
    ]


def _pieces(patch: str, path: str) -> Iterator[tuple[Optional[str], list[str]]]:
    """Of each piece for a file: the function that its first line names, and its lines."""
    ours = False
    head: Optional[str] = None
    piece: Optional[list[str]] = None
    for line in patch.splitlines():
        start = _PIECE.match(line)
        if piece is not None and (start or line[:1] not in (" ", "+", "-", "\\", "")):
            yield head, piece
            piece = None
        if line.startswith(("+++ ", "--- ")):
            if piece is not None:
                yield head, piece
                piece = None
            if line.startswith("+++ "):
                ours = line[len("+++ ") :].split("\t")[0].strip() == f"b/{path}"
        elif start and ours:
            head, piece = function_in(start.group(1)), []
        elif piece is not None:
            piece.append(line)
    if piece is not None:
        yield head, piece


def hooks_added(patch: str, path: str) -> list[Hook]:
    """The hooks that a patch adds to a file, each with the function that the patch names."""
    found = []
    for head, piece in _pieces(patch, path):
        left = [line for line in piece if line[:1] in (" ", "+", "")]
        for (function, _text), line in zip(_walk((line[1:] for line in left), head), left):
            if line.startswith("+") and _HOOK.search(line):
                found.append(Hook(function, line[1:].strip()))
    return found


def misplaced(patch: str, path: str, before: str, after: str) -> list[str]:
    """What is wrong with a patched file, one sentence for each hook that is not in its function."""
    added = hooks_added(patch, path)
    expected = Counter(hook for hook in added if hook.function)
    landed = Counter(hooks_in(after)) - Counter(hooks_in(before))
    stray = list((landed - expected).elements())
    wrong = [
        f"{path}: the patch does not say which function '{hook.line}' belongs in: make it with git "
        "diff, or with diff -p"
        for hook in added
        if not hook.function
    ]
    for hook in (expected - landed).elements():
        other = next((one for one in stray if one.line == hook.line), None)
        if other:
            stray.remove(other)
        where = f"in {other.function or 'no function'}" if other else "nowhere"
        wrong.append(f"{path}: '{hook.line}' belongs in {hook.function}, but is {where}")
    return wrong
