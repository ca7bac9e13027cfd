# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that the collection has, by its own files, and the name that a misspelt one means.

Ansible takes any name, so a misspelt variable changes nothing, without a message.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple, Optional

import yaml

#: Beginnings of what playbooks read, besides the variables of the roles. Those of doctor.yml make
#: a role do a part of its checks: nobody may set them.
PLAYBOOKS = ("deploy", "doctor")
_FOLDERS = ("defaults", "vars", "tasks", "handlers")
_NAMES = ("register", "loop_var", "index_var")
_FACTS = ("ansible.builtin.set_fact", "set_fact")
#: How much of a name has to be the same. Two letters that changed places are less of a short name.
_LIKE = 0.75


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads names; values under a tag (`!unsafe`, `!vault`) do not matter."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


class Known(NamedTuple):
    """Options by their names, and the names that are no options: what tasks register and set."""

    options: Mapping[str, Mapping[str, Any]]
    #: Name of an option → role that has it.
    roles: Mapping[str, str]
    others: frozenset[str]
    prefixes: tuple[str, ...]

    def is_ours(self, name: str) -> bool:
        return name.partition("_")[0] in self.prefixes and "_" in name

    def has(self, name: str) -> bool:
        return name in self.options or name in self.others


def _load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def names_of(node: Any) -> Iterator[str]:
    """Of plays and tasks: the variables that they register, set and give."""
    if isinstance(node, list):
        for part in node:
            yield from names_of(part)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in _NAMES and isinstance(value, str):
            yield value
        elif key == "vars" or key in _FACTS:
            yield from (name for name in value or () if isinstance(name, str))
        yield from names_of(value)


def collect(root: Path) -> Known:
    """Of the collection whose directory is `root`."""
    options: dict[str, Mapping[str, Any]] = {}
    roles: dict[str, str] = {}
    others: set[str] = set()
    folders = sorted(path for path in (root / "roles").iterdir() if path.is_dir())
    for role in folders:
        specs = role / "meta/argument_specs.yml"
        entries = _load(specs)["argument_specs"] if specs.is_file() else {}
        # The entry point `main` has the whole of what others have a part of.
        for entry in [entries.get("main", {}), *entries.values()]:
            for name, option in (entry.get("options") or {}).items():
                options.setdefault(name, option)
                roles.setdefault(name, role.name)
        for path in (path for name in _FOLDERS for path in sorted(role.glob(f"{name}/**/*.yml"))):
            found = _load(path)
            if path.relative_to(role).parts[0] in ("defaults", "vars"):
                others.update(found or {})
            else:
                others.update(names_of(found))
    for path in sorted((root / "playbooks").glob("*.yml")):
        others.update(names_of(_load(path)))
    prefixes = tuple(sorted([*(role.name for role in folders), *PLAYBOOKS]))
    return Known(options, roles, frozenset(others - set(options)), prefixes)


def meant(name: str, known: Known) -> Optional[str]:
    """None if the name is known or nobody's of ours; else the option that is like it, or ''."""
    if known.has(name):
        return None
    if known.is_ours(name):
        return next(iter(difflib.get_close_matches(name, known.options, 1, _LIKE)), "")
    prefix, _line, rest = name.partition("_")
    # With a misspelt prefix it is one of ours only if all else is.
    for near in difflib.get_close_matches(prefix, known.prefixes, 3, _LIKE) if rest else ():
        if f"{near}_{rest}" in known.options:
            return f"{near}_{rest}"
    return None


def allowed(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def defaults(root: Path) -> dict[str, Any]:
    """The roles' variables if nobody sets them, as templates that do without `role_path`."""
    found: dict[str, Any] = {}
    for path in sorted((root / "roles").glob("*/defaults/main.yml")):
        text = path.read_text(encoding="utf-8").replace("{{ role_path }}", str(path.parents[1]))
        found.update(yaml.load(text, Loader=_Loader) or {})
    return found
