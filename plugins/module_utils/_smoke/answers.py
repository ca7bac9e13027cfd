# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what the kernel answered in its smoke test is right, by the comparisons of `verify`."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import steps
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.console import Outcome
from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    COUNTED,
    THROTTLE,
    TRACK,
)

# While the program runs it takes some memory itself, which is free before and after.
MEMORY_DRIFT_KIB = 8192

# What the first program prints of a plain call: what was returned, and errno.
_ANSWER = re.compile(r"-?\d{1,20} (\d{1,9})")


def _figures(outcome: Outcome) -> dict[str, Any]:
    """The JSON object that a program printed; empty if it printed none."""
    try:
        found = bounded_read.parse_json(outcome.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _numbers(outcome: Outcome) -> dict[str, int]:
    return {name: value for name, value in _figures(outcome).items() if type(value) is int}


def _count(outcome: Outcome, name: str) -> int:
    entry = _figures(outcome).get(name)
    count = entry.get("count") if isinstance(entry, dict) else None
    return count if type(count) is int else -1


def _usage(before: Outcome, after: Outcome) -> Iterator[Check]:
    """The names; and that the second program, with its process, was counted."""
    yield compare.equal(f"{TRACK} names", " ".join(COUNTED), " ".join(_figures(after)))
    for name in COUNTED:
        was, is_now = _count(before, name), _count(after, name)
        yield Check(f"{TRACK} {name} counted", is_now > was >= 0, f"more than {was}", is_now)


def checks(outcomes: Mapping[str, Outcome], manifest: Mapping[str, Any]) -> Iterator[Check]:
    """The comparisons; `outcomes` has those that came to their end, by the keys of the steps."""
    for key, wanted in ((steps.SYSNAME, "sysname"), (steps.RELEASE, "release")):
        if key in outcomes and manifest.get(wanted):
            yield compare.equal(key, manifest[wanted], outcomes[key].text)

    def around(name: str) -> tuple[dict[str, int], dict[str, int]]:
        before, after = (
            compare.parse_keyed(outcomes[key].text) if key in outcomes else {}
            for key in (f"{name} {steps.BEFORE}", f"{name} {steps.AFTER}")
        )
        return before, after

    if CAPTURE in outcomes and is_json(outcomes[CAPTURE]):
        before, after = around(CAPTURE)
        found = _numbers(outcomes[CAPTURE])
        yield from compare.compare_memory(before, found, after, drift=MEMORY_DRIFT_KIB)
    if THROTTLE in outcomes and is_json(outcomes[THROTTLE]):
        before, after = around(THROTTLE)
        yield from compare.compare_io(before, _numbers(outcomes[THROTTLE]), after, THROTTLE)
    earlier = f"{TRACK} {steps.BEFORE}"
    if TRACK in outcomes and earlier in outcomes and is_json(outcomes[TRACK]):
        yield from _usage(outcomes[earlier], outcomes[TRACK])


def is_json(outcome: Outcome) -> bool:
    """Whether a program printed figures; a plain call prints two numbers."""
    return outcome.text.startswith("{")


def call_problem(outcome: Outcome) -> str:
    """What is wrong with the answer to a plain call; empty if nothing is."""
    found = _ANSWER.fullmatch(outcome.text)
    if not found:
        return "it prints no answer"
    return "there is no such syscall (ENOSYS)" if int(found[1]) == errno.ENOSYS else ""
