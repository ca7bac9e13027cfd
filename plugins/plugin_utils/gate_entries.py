# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of `deploy_gates`.

Their types have been checked (variable_types), or are checked by whoever passes them on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable
from urllib.parse import urlsplit

from ansible.module_utils.common.validation import check_type_bool
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_window
from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_kinds import (
    Approval,
    Command,
    Condition,
    Http,
    Soak,
    Window,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.gates import LIMIT, Gate

_LONGEST = 7 * 86_400  # seconds
_URL = re.compile(r"https?://[!-~]+")
# Of a header: what RFC 9110 calls a token.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _soak(entry: Mapping[str, Any]) -> Soak:
    seconds = _number("soak", entry["soak"], 1)
    if _switch(entry):
        raise ValueError("before the first wave no host soaks: remove before_first")
    limit = entry.get("limit")
    return Soak(seconds) if limit is None else Soak(seconds, _number("limit", limit, 1))


def _window(entry: Mapping[str, Any]) -> Window:
    try:
        return Window(gate_window.parse(entry["window"]))
    except ValueError as error:
        raise ValueError(f"window: {error}") from None


def _approval(entry: Mapping[str, Any]) -> Approval:
    file, prompt = (str(entry["approval"].get(name) or "") for name in ("file", "prompt"))
    if not file and not prompt:
        raise ValueError("approval has to have a file, a prompt or both")
    if file and not file.startswith("/"):
        raise ValueError(f"approval: file is {file!r}: give an absolute path on the control node")
    return Approval(file, prompt)


def _command(entry: Mapping[str, Any]) -> Command:
    argv = tuple(str(word) for word in entry["command"])
    if not argv:
        raise ValueError("command is an empty list: name a program and its arguments")
    if "\0" in "".join(argv):
        raise ValueError("command has a NUL character, which no argument can have")
    return Command(argv, _number("rc", entry.get("rc") or 0, 0, 255))


def _http(entry: Mapping[str, Any]) -> Http:
    given = entry["http"]
    url, path = str(given.get("url") or ""), str(given.get("path") or "")
    problem = plain_text.account_problem(url, "put a token into headers")
    if problem:
        raise ValueError(f"http: url cannot be used: {problem}")
    if not _URL.fullmatch(url) or not _is_address(url):
        raise ValueError("http: url has to be an address that begins with http:// or https://")
    headers = {str(name): str(value) for name, value in (given.get("headers") or {}).items()}
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError("http: headers has a name that no header has")
        if not value.isprintable() or not value.isascii():
            raise ValueError(
                f"http: headers: {name} has a character that is no ASCII, or a line end"
            )
    if path and "value" not in given:
        raise ValueError("http: path has no value to compare with: add a line `value: …`")
    return Http(url, headers, path, given.get("value"), "value" in given)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # of a port or an IPv6 address
        return False


_KINDS: dict[str, Callable[[Mapping[str, Any]], Condition]] = {
    "soak": _soak,
    "window": _window,
    "approval": _approval,
    "command": _command,
    "http": _http,
}


def _number(key: str, value: Any, least: int, most: int = _LONGEST) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not least <= number <= most or isinstance(value, bool):
        raise ValueError(
            f"{key} is {plain_text.shown(str(value), 40)}: it has to be {least} to {most}"
        )
    return number


def _switch(entry: Mapping[str, Any]) -> bool:
    return bool(check_type_bool(entry.get("before_first") or False))


def parse(entry: Mapping[str, Any]) -> Gate:
    """Raises ValueError with the reason, which quotes no header."""
    name = plain_text.shown(str(entry.get("name") or "").strip(), 60)
    if not name:
        raise ValueError("it has no name: add a line `name: …`")
    kinds = [kind for kind in _KINDS if entry.get(kind) is not None]
    if len(kinds) != 1:
        has = f"has {' and '.join(kinds)}" if kinds else "has none"
        raise ValueError(f"it has to have one of {', '.join(_KINDS)}, but {has}")
    if "rc" in entry and kinds != ["command"]:
        raise ValueError("rc belongs to a command: remove it")
    condition = _KINDS[kinds[0]](entry)
    limit = entry.get("limit")
    if isinstance(condition, Soak):
        return Gate(name, condition, condition.seconds)
    seconds = LIMIT if limit is None else _number("limit", limit, 0)
    return Gate(name, condition, seconds, _switch(entry))


def problems(variable: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One sentence for each entry that cannot be used."""
    names: set[str] = set()
    for index, entry in enumerate(entries):
        label = f"{variable}[{index}]"
        try:
            gate = parse(entry)
        except ValueError as error:
            name = plain_text.shown(str(entry.get("name") or ""), 60)
            yield f"{label}{f' ({name})' if name else ''}: {error}"
            continue
        if gate.name in names:
            yield f"{label}: another gate has the name {gate.name!r}: give it one of its own"
        names.add(gate.name)
