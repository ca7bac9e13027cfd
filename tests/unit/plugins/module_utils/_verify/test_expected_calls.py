# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that a user expects something of, made to this machine's kernel."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import expected_calls
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    Answer,
    in_child,
    raw_syscall,
)

# close_range(2), of Linux 5.9: it closes nothing where no file is open.
NUMBER = 436


def check(number: Any = NUMBER, function: Any = None, seconds: float = 30, **entry: Any) -> Check:
    return expected_calls.check(
        {"name": "close_range", **entry},
        number,
        function or raw_syscall(),
        lambda call: in_child(call, seconds),
    )


def test_a_call_that_answers_as_expected() -> None:
    found = check(arguments=[5000, 5001], returns=0)
    assert found == ("close_range(5000, 5001)", True, "0", "0", None, "verify_calls")


def test_an_error_that_is_expected() -> None:
    assert check(arguments=[9, 3], error="EINVAL").ok is True


@pytest.mark.parametrize(
    ("entry", "expected", "actual"),
    [
        ({"arguments": [5000, 5001], "returns": 6}, "6", "0"),
        ({"arguments": [9, 3], "returns": 0}, "0", "EINVAL"),
        # The number of an error is no result.
        ({"arguments": [9, 3], "returns": -1}, "-1", "EINVAL"),
        ({"arguments": [9, 3], "error": "EPERM"}, "EPERM", "EINVAL"),
        ({"number": None, "returns": 0}, "0", "no syscall close_range"),
    ],
)
def test_another_answer_fails(entry: dict[str, Any], expected: str, actual: str) -> None:
    found = check(**entry)
    assert (found.ok, found.expected, found.actual) == (False, expected, actual)


def test_a_number_that_may_not_be_called() -> None:
    found = check(number=1, returns=0)
    assert not found.ok and "337" in found.actual


def test_a_call_that_ends_its_process() -> None:
    def function(*_words: int) -> Answer:
        os.kill(os.getpid(), signal.SIGKILL)
        return Answer(0, 0)

    found = check(function=function, returns=0)
    assert (found.ok, found.actual) == (False, "ended by SIGKILL")


def test_a_call_that_does_not_return() -> None:
    def function(*_words: int) -> Answer:
        signal.pause()
        return Answer(0, 0)

    found = check(function=function, seconds=0.2, returns=0)
    assert not found.ok and "no answer within" in found.actual


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"returns": 0}, ""),
        ({"error": "ENOENT", "arguments": [-1, (1 << 64) - 1]}, ""),
        ({"arguments": [0] * 6, "returns": 0}, ""),
        ({"arguments": [0] * 7, "returns": 0}, "it has 7 arguments"),
        ({"arguments": [1 << 64], "returns": 0}, "more than 64 bits"),
        ({"arguments": [-(1 << 63) - 1], "returns": 0}, "more than 64 bits"),
        ({}, "one of returns and error"),
        ({"returns": 0, "error": "EINVAL"}, "one of returns and error"),
        ({"error": "EINVALID"}, "name of an error"),
    ],
)
def test_entries_with_problems(entry: dict[str, Any], words: str) -> None:
    found = expected_calls.problem({"name": "x", **entry})
    assert words in found if words else found == ""
