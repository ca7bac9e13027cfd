# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a value is of the type that its specification names, without being converted to it.

Ansible's own check converts (of the text `a` it makes the list `[a]`) and throws the result away:
tasks get the value as it was written, and a loop over a text is one over its letters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Optional

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_float,
    check_type_int,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text

_WORDS = {
    "bool": "true or false",
    "dict": "a mapping, with lines as `name: value`",
    "float": "a number",
    "int": "a whole number",
    "list": "a list, with lines as `- entry`",
    "path": "a path",
    "raw": "a value",
    "str": "a text",
}
#: Kinds that tasks and modules take as text, too: `-e install_keep=3` gives no other.
_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "bool": check_type_bool,
    "float": check_type_float,
    "int": check_type_int,
}
_LENGTH = 60
#: How much of a key has to be the same for it to be the one that is meant.
_LIKE = 0.6
# The whole of an entry of deploy_gates may have headers in it.
_SECRET = re.compile(
    r"pass|secret|token|vault|private|\bheaders\b|^deploy_gates(\[\d+\](: http)?)?( |$)",
    re.IGNORECASE,
)
# A name and a password in an address.
_ACCOUNT = re.compile(r"//[^/@\s]*@")


def without_account(text: str) -> str:
    return _ACCOUNT.sub("//***@", text)


def shown(name: str, value: Any, template: str = "") -> str:
    """The value as a message may quote it: short, and no secret."""
    if _SECRET.search(f"{name} {template}"):
        return "a value that is not shown"
    return plain_text.cut(without_account(repr(value)), _LENGTH)


def _unquoted(where: str, value: Any, quoted: str) -> Optional[str]:
    """YAML makes numbers and switches of texts without quotes, and the text is lost."""
    if isinstance(value, bool):
        return f"{where} is {str(value).lower()}, not a text: write it in quotes"
    if isinstance(value, float):
        version = "version" in where or "sha256" in where
        example = "6.10" if version else value
        lost = " (of 6.10 YAML makes 6.1)" if version else ""
        return (
            f"{where} is the number {value}, not a text{lost}: write it in quotes, as in "
            f"{quoted.format(example)}"
        )
    return None


def _text(where: str, option: Mapping[str, Any], value: Any, template: str) -> Iterator[str]:
    if isinstance(value, bool) and str(value).lower() in option.get("choices", ()):
        return  # Ansible makes the same text of it
    entry = where.endswith("]")
    problem = _unquoted(where, value, '- "{}"' if entry else f'{where.rpartition(": ")[2]}: "{{}}"')
    if problem:
        yield problem
    elif isinstance(value, int) and (entry or option.get("type") == "path"):
        yield f"{where} is the number {value}, not {_WORDS[_kind(option)]}: write it in quotes"
    elif isinstance(value, (Mapping, list, tuple)):
        yield _wrong(where, option, value, template)
    elif entry and not str(value).strip():
        yield f"{where} is an empty text: write something, or remove the entry"
    elif option.get("choices") and str(value) not in map(str, option["choices"]):
        choices = ", ".join(str(choice) or '""' for choice in option["choices"])
        yield f"{where} is {shown(where, value, template)}: it has to be one of {choices}"


def _mapping(where: str, option: Mapping[str, Any], value: Any, template: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _wrong(where, option, value, template)
        return
    for key in value:
        if problem := _unquoted(f"the key {key} of {where}", key, '"{}": …'):
            yield problem
    known = option.get("options")
    if known is None:
        for key in value:
            if value[key] is None:
                yield f"{where}.{key} has no value: give one, or remove the line"
        return
    label = f"{where} ({value['name'][:_LENGTH]})" if isinstance(value.get("name"), str) else where
    for key in value:
        if key not in known:
            like = difflib.get_close_matches(str(key), [*known], 1, _LIKE)
            meant = f"did you mean {like[0]}?" if like else f"there are {', '.join(known)}"
            yield f"{label} has {key!r}, which is no key of it: {meant}"
    for key, part in known.items():
        if key not in value:
            if part.get("required"):
                yield f"{label} has no {key}: add a line `{key}: …`"
        # One that may be left out may be left empty.
        elif value[key] is not None or part.get("required") or _kind(part) not in ("str", "path"):
            yield from problems(f"{where}: {key}", part, value[key], template)


def _list(where: str, option: Mapping[str, Any], value: Any, template: str) -> Iterator[str]:
    if isinstance(value, Mapping) and option.get("options"):
        yield f"{where} is one mapping, not a list: begin each entry with `- `"
        return
    if not isinstance(value, (list, tuple)):
        yield _wrong(where, option, value, template)
        return
    item = {name: option[name] for name in ("options", "choices") if name in option}
    item["type"] = option.get("elements", "raw")
    for index, entry in enumerate(value):
        if entry is None:
            yield f"{where}[{index}] has no value: give one, or remove the entry"
        else:
            yield from problems(f"{where}[{index}]", item, entry, template)


def _kind(option: Mapping[str, Any]) -> str:
    return str(option.get("type", "str"))


def _wrong(where: str, option: Mapping[str, Any], value: Any, template: str) -> str:
    words = _WORDS.get(_kind(option), _kind(option))
    if where.endswith("]") and option.get("options"):
        first = next(iter(option["options"]))
        words = f"a mapping; begin it with `- {first}: …`, its other lines below that"
    return f"{where} is {shown(where, value, template)}: it has to be {words}"


def problems(
    where: str, option: Mapping[str, Any], value: Any, template: str = ""
) -> Iterator[str]:
    """One sentence for each thing that is of another type.

    :param where: the variable, or a part of it, such as `modules_list[0]: params`.
    :param option: as in `meta/argument_specs.yml`.
    :param template: of which the value was made, if it was one.
    """
    kind = _kind(option)
    if value is None:
        yield f"{where} is set, but has no value: give one, or remove the line for the default"
    elif kind in ("str", "path"):
        yield from _text(where, option, value, template)
    elif kind == "dict":
        yield from _mapping(where, option, value, template)
    elif kind == "list":
        yield from _list(where, option, value, template)
    elif kind in _CONVERTED:
        if not _converts(kind, value):
            yield _wrong(where, option, value, template)
    elif where.endswith("]") and isinstance(value, str) and not value.strip():
        yield f"{where} is an empty text: write something, or remove the entry"


def _converts(kind: str, value: Any) -> bool:
    if kind != "bool" and isinstance(value, bool):
        return False
    try:
        _CONVERTED[kind](value)
    except (TypeError, ValueError):
        return False
    return True
