# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of syscalls with arguments and a result that the user gives, as the checks of one's own."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CALL_SECONDS,
    AbiError,
    Answer,
    Isolated,
    SyscallFunction,
    Syscalls,
)

#: A syscall has no more, each of 64 bits, with a sign or without.
ARGUMENTS, LOWEST, HIGHEST = 6, -(1 << 63), (1 << 64) - 1
_SOURCE = "verify_calls"
_ERRORS = frozenset(errno.errorcode.values())


def problem(entry: Mapping[str, Any]) -> str:
    """What is wrong with an entry; empty if nothing is."""
    arguments = entry.get("arguments") or []
    if len(arguments) > ARGUMENTS:
        return f"it has {len(arguments)} arguments: a syscall has at most {ARGUMENTS}"
    for argument in arguments:
        if not LOWEST <= int(argument) <= HIGHEST:
            return f"the argument {argument} has more than 64 bits"
    returns, error = entry.get("returns"), entry.get("error") or ""
    if (returns is None) == (not error):
        return "it has to have one of returns and error"
    if error and error not in _ERRORS:
        return f"error is {error!r}: it has to be the name of an error, such as EINVAL"
    return ""


def check(
    entry: Mapping[str, Any],
    number: int | None,
    function: SyscallFunction,
    isolated: Callable[[Callable[[], list[int]]], Isolated],
) -> Check:
    """Make the call of an entry without problems, in a process of its own, and compare.

    :param number: of the syscall; None if the kernel has none of that name.
    :param function: makes a call, by number and arguments.
    :param isolated: runs a function in a process of its own.
    """
    name = str(entry["name"])
    arguments = [int(argument) for argument in entry.get("arguments") or []]
    title = f"{name}({', '.join(map(str, arguments))})"
    expected = entry.get("error") or str(entry["returns"])
    try:
        calls = Syscalls(function, {name: number} if number else {})
    except AbiError as error:
        return Check(title, False, expected, str(error), None, _SOURCE)
    if not calls.numbers:
        return Check(title, False, expected, f"no syscall {name}", None, _SOURCE)
    ended = isolated(lambda: list(calls.call(name, *arguments)))
    if ended.value is None:
        late = f"no answer within {CALL_SECONDS:.0f} seconds"
        actual = late if ended.late else f"ended by {ended.signal_name or 'an error'}"
    else:
        actual = compare.answer_text(Answer(*ended.value))
    return compare.equal(title, expected, actual, _SOURCE)
