# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answered, before it becomes a variable and part of a message.

The answer of a module is whatever the host chose to send. Its texts become safe to print, and its
form is checked, so that an answer that makes no sense fails this host and no task of another one.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text

#: Of any module: output, tracebacks and differences, which have lines.
_LINES = ("diff", "exception", "stdout", "stderr", "module_stdout", "module_stderr")
#: Of any module: shown in one line among ours.
_SENTENCES = ("msg",)
_FOR_PEOPLE = (*_LINES, *_SENTENCES, "warnings", "deprecations")
_LONGEST = 4000


def _plain(value: Any, *, lines: bool) -> Any:
    if isinstance(value, str):
        return plain_text.lines(value) if lines else plain_text.escape(value)
    if isinstance(value, Mapping):
        return {
            plain_text.escape(str(name)): _plain(one, lines=lines) for name, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        inner = [_plain(one, lines=lines) for one in value]
        return inner if isinstance(value, list) else tuple(inner)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain_event(value)
    return value


def _plain_event(event: Any) -> Any:
    """Errors and warnings are objects in ansible-core 2.19 and later."""
    changes = {
        field.name: _field(field.name, getattr(event, field.name))
        for field in dataclasses.fields(event)
        if field.init
    }
    return dataclasses.replace(event, **changes)


def _field(name: str, value: Any) -> Any:
    if name in _SENTENCES and isinstance(value, str):
        return plain_text.sentence(value, _LONGEST)
    return _plain(value, lines=True)


def without_facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without facts, which no module of ours returns.

    Ansible makes variables of them, stronger than those of the inventory; for a delegated task they
    become variables of the host that delegated it.
    """
    return {name: value for name, value in answer.items() if name != "ansible_facts"}


def plain(answer: Mapping[str, Any], lines: Collection[str] = ()) -> dict[str, Any]:
    """The answer with all of its texts safe to print; `lines` names those that may have several."""
    found = {}
    for name, value in without_facts(answer).items():
        if name in _SENTENCES and name not in lines and isinstance(value, str):
            found[name] = plain_text.sentence(value, _LONGEST)
        else:
            found[plain_text.escape(str(name))] = _plain(
                value, lines=name in lines or name in _LINES
            )
    return found


def plain_messages(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a builder: what it returns stays, what is only for people is safe to print.

    A builder's messages have lines, and quote compilers, mirrors and names of files in archives.
    """
    return {
        name: _plain(value, lines=True) if name in _FOR_PEOPLE else value
        for name, value in without_facts(answer).items()
    }


# Names and versions of Debian packages, which go into commands on the host.
PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]{0,254}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~-]{0,254}")


class Form(NamedTuple):
    """What a value has to be.

    `kind` is its type, `elements` that of what is in it. `null`: whether the value may be null;
    `empty`: whether what is in it may. `like` is for all texts, `keys` for the names of a
    dictionary, and `fields` for the values under some names, where they are there. `most` is how
    many entries a list may have, and `each` what every one of them has to have, if these are
    dictionaries.
    """

    kind: type
    elements: Optional[type] = None
    null: bool = False
    like: Optional[re.Pattern[str]] = None
    keys: Optional[re.Pattern[str]] = None
    empty: bool = False
    fields: Mapping[str, Any] = {}
    most: Optional[int] = None
    each: Mapping[str, Any] = {}


_TYPES = {str: "text", bool: "yes or no", int: "a number", list: "a list", dict: "a dictionary"}


def _is(value: Any, wanted: type) -> bool:
    # To Python, True is a number.
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def problem(answer: Mapping[str, Any], forms: Mapping[str, Form]) -> str:
    """What is wrong with the form of an answer, by its first wrong value; empty if nothing is."""
    for name, form in forms.items():
        if name not in answer:
            return f"{name} is missing"
        value = answer[name]
        if value is None and form.null:
            continue
        wrong = _value_problem(name, value, form) or _part_problem(name, value, form)
        if wrong:
            return wrong
    return ""


def _value_problem(name: str, value: Any, form: Form) -> str:
    shown = plain_text.sentence(repr(value), plain_text.CELL)
    if not _is(value, form.kind):
        return f"{name} is {shown} and has to be {_TYPES[form.kind]}"
    if form.most is not None and len(value) > form.most:
        return f"{name} has {len(value)} entries and may have {form.most}"
    inside = _inside(value, form)
    if form.elements and not all(_is(one, form.elements) for one in inside):
        return f"{name} is {shown} and has to have {_TYPES[form.elements]} in it"
    for pattern, texts in ((form.like, inside), (form.keys, value)):
        for one in texts if pattern else ():
            if pattern and not pattern.fullmatch(str(one)):
                shown = plain_text.sentence(repr(one), plain_text.CELL)
                return f"{name} is {shown}, which has to match {pattern.pattern}"
    return ""


def _inside(value: Any, form: Form) -> list[Any]:
    """What is in a value, or else the value itself."""
    if not form.elements:
        return [value]
    inside = value.values() if isinstance(value, Mapping) else value
    return [one for one in inside if one is not None or not form.empty]


def _part_problem(name: str, value: Any, form: Form) -> str:
    """What is wrong with the dictionary itself, or with one of those in it."""
    there = {field: one for field, one in form.fields.items() if field in value}
    parts: list[tuple[Any, Mapping[str, Form]]] = [(value, there)] if there else []
    parts += [(one, form.each) for one in _inside(value, form) if form.each]
    wrong = next(filter(None, (problem(part, forms) for part, forms in parts)), "")
    return f"in {name}, {wrong}" if wrong else ""
