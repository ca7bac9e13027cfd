# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a lock, and what differs between two of them.

A lock is nested; a line is the way to one of its values, such as `files.patches[fix.patch].sha256`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, NamedTuple

#: Letters of a value in a message.
WIDTH = 100
#: Differences in a message.
SHOWN = 8
#: The result of all other lines: if one of these differs, so does this.
RESULT = "build."

#: Lines that do not decide what is built.
HINTS = ("environment.root.snapshot",)

_NEW = "write a new lock with playbooks/lock.yml"
# Beginning of a line → what makes it as it was. The first one that fits counts.
_REMEDIES = (
    ("collection", "install that version of the collection"),
    ("settings.", "set the variable to the locked value"),
    ("files.", "restore the file on the control node"),
    ("source.commit", "make source_git_ref the locked commit"),
    ("source.", "give the builder the locked source (source_file, source_mirrors)"),
    (
        "environment.root.",
        "set build_root_mirrors to a snapshot of the archive of the date environment.root.snapshot",
    ),
    ("environment.", "install that version on the builder, or lock a build root"),
    ("targets.", "restore the lock from git"),
)


class Difference(NamedTuple):
    """A line, what the lock has there, and what was found; None where there is no such line."""

    line: str
    locked: Any
    found: Any


def leaves(value: Any, line: str = "") -> Iterator[tuple[str, Any]]:
    """(line, value) of all that is in a part of a lock, in the order of the file.

    A mapping without entries has no line.
    """
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from leaves(value[key], f"{line}.{key}" if line else str(key))
    elif _is_named(value):
        # The order counts: patches are applied in it.
        yield f"{line}.order", [each["name"] for each in value]
        for each in value:
            rest = {name: part for name, part in each.items() if name != "name"}
            yield from leaves(rest, f"{line}[{each['name']}]")
    else:
        yield line, value


def _is_named(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return all(isinstance(each, Mapping) and "name" in each for each in value)


def differences(locked: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    """The lines that differ, sorted by name."""
    old, new = dict(leaves(locked)), dict(leaves(found))
    return [
        Difference(line, old.get(line), new.get(line))
        for line in sorted({*old, *new})
        if line not in old or line not in new or old[line] != new[line]
    ]


def binding(found: Sequence[Difference]) -> list[Difference]:
    """The same without what only says where something can be had."""
    return [each for each in found if each.line not in HINTS]


def causes(found: Sequence[Difference]) -> list[Difference]:
    """The same without what only follows from other lines."""
    inputs = [each for each in found if not each.line.startswith(RESULT)]
    parts = [each for each in found if each.line != f"{RESULT}id"]
    return inputs or parts or list(found)


def shown(value: Any) -> str:
    """A value as one short line."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\n" in text.strip("\n"):
        checksum = hashlib.sha256(text.encode()).hexdigest()
        return f"{text.count(chr(10))} lines (sha256 {checksum[:12]}…)"
    text = " ".join(text.split())
    return (text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…") or "''"


def change(one: Difference) -> str:
    """`old → new`; of lists what was added and removed."""
    if isinstance(one.locked, list) and isinstance(one.found, list):
        gone = [f"-{shown(each)}" for each in one.locked if each not in one.found]
        come = [f"+{shown(each)}" for each in one.found if each not in one.locked]
        if gone or come:
            text = ", ".join([*gone, *come])
            return text if len(text) <= 2 * WIDTH else f"{text[: 2 * WIDTH]}…"
    return f"{shown(one.locked)} → {shown(one.found)}"


def remedy(line: str) -> str:
    """What makes this line as it is in the lock."""
    for beginning, text in _REMEDIES:
        if line.startswith(beginning):
            return text
    return "no other line explains it: look at the difference of the two manifests"


def listed(
    found: Sequence[Difference],
    word: str = "published",
    advice: Callable[[str], str] = lambda line: "",
) -> list[str]:
    """A line of a message for each difference, as many as fit a screen."""
    lines = []
    for each in found[:SHOWN]:
        text = f"- {each.line}: {word} {shown(each.locked)}, found {shown(each.found)}"
        remedied = advice(each.line)
        lines.append(f"{text}; {remedied}" if remedied else text)
    if len(found) > SHOWN:
        lines.append(f"- and {len(found) - SHOWN} more")
    return lines


def refusal(path: str, found: Sequence[Difference]) -> str:
    """Why the build does not begin: each line with both values and a remedy."""
    named = causes(found)
    lines = listed(named, "locked", remedy)
    count = "1 line differs" if len(named) == 1 else f"{len(named)} lines differ"
    head = f"This is not the build that build_lock {path} describes: {count}."
    return "\n".join([head, *lines, f"Or {_NEW}."])
