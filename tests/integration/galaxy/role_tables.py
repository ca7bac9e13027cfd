#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of variables and entry points in the roles' READMEs and in the reference, from their
specifications.

`make docs` calls it; a test fails where a page is not what it writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs/reference/variables.md"
BEGIN = "<!-- BEGIN variables (made by `make docs`) -->"
END = "<!-- END variables -->"
_BETWEEN = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
_MARKUP = re.compile(r"\b[BCEIMOV]\(([^()]*)\)")
# As many characters of a default fit in a table.
_LONG = 48


class MarkersError(Exception):
    """A page has no place for its table, or several."""


def first_sentence(description: Any) -> str:
    """Of a description as Ansible has it, a text or a list of texts, in Markdown."""
    text = description if isinstance(description, str) else description[0]
    text = _MARKUP.sub(r"`\1`", " ".join(text.split()))
    return re.split(r"(?<=[.]) ", text, maxsplit=1)[0]


def kind(option: Mapping[str, Any]) -> str:
    name: str = option.get("type", "str")
    return f"{name} of {option['elements']}" if option.get("elements") else name


def default_cell(
    option: Mapping[str, Any], defaults: Mapping[str, Any], name: str, place: str
) -> str:
    """What holds if nobody sets it: `defaults/main.yml` decides, and has what is too long here.

    `place` is the way from the page to the role's directory: empty, or with a slash at its end.
    """
    if option.get("required"):
        return "(required)"
    value = defaults[name] if name in defaults else option.get("default")
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    if len(text) > _LONG or "\n" in text:
        return f"[defaults]({place}defaults/main.yml)"
    return f"`{text}`"


def rows(
    options: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any], place: str
) -> Iterator[str]:
    for name, option in options.items():
        choices = ", ".join(
            f"`{json.dumps(one) if one == '' else one}`" for one in option.get("choices", [])
        )
        about = first_sentence(option["description"]) + (f" One of {choices}." if choices else "")
        cells = (f"`{name}`", kind(option), default_cell(option, defaults, name, place), about)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(role: Path, place: str = "") -> list[str]:
    """Of the role in that directory; `place` is the way to it from the page."""
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text(encoding="utf-8")) or {}
    entries = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = entries["argument_specs"]["main"].get("options") or {}
    if not options:
        return ["It has no variables."]
    return [
        "| variable | type | default | |",
        "| --- | --- | --- | --- |",
        *rows(options, defaults, place),
    ]


def entry_points(role: Path) -> list[str]:
    """What `tasks_from` can name; nothing of a role that has only its main one."""
    entries = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    named = entries["argument_specs"]
    if len(named) == 1:
        return []
    found = [f"| `{name}` | {one['short_description']} |" for name, one in named.items()]
    return ["", "| entry point (`tasks_from`) | |", "| --- | --- |", *found]


def written(page: Path, lines: list[str]) -> str:
    """The page as it should be, with these lines between its markers. Raises MarkersError."""
    text = page.read_text(encoding="utf-8")
    between = "\n".join([BEGIN, *lines, END])
    made, times = _BETWEEN.subn(lambda _match: between, text)
    if times != 1 or text.count(BEGIN) != 1:
        name = f"{page.parent.name}/{page.name}"
        raise MarkersError(f"{name} should have, once each, the lines {BEGIN} and {END}")
    return made


def readme(role: Path) -> str:
    """The README of a role as it should be. Raises MarkersError."""
    about = f"In full: `ansible-doc -t role oslab.kernel.{role.name}`."
    return written(role / "README.md", [*table(role), *entry_points(role), "", about])


def reference() -> str:
    """The page of all variables as it should be. Raises MarkersError."""
    lines = []
    for role in places():
        place = f"../../roles/{role.name}/"
        lines += [f"## {role.name}", "", f"[The role]({place}README.md).", ""]
        lines += [*table(role, place), ""]
    return written(REFERENCE, lines[:-1])


def places() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "roles").glob("*/README.md"))


def main() -> None:
    for role in places():
        (role / "README.md").write_text(readme(role), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
