# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the store keeps of a build's smoke test: its outcome, and the serial line of the last one.

Both stand beside the packages and are no part of the build, so its id and its packages are the same
whether it was tested or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    json_file,
    plain_text,
)

NAME, LOG = "smoke_test.json", "smoke_test.log"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
RESULTS = (PASSED, FAILED, SKIPPED)
# Problems in a reason; the log has all of it.
_MOST = 3
# Characters of the serial line that are kept: its end.
_LOG_LENGTH = 1 << 20


class Outcome(NamedTuple):
    """What came out of the test."""

    result: str
    #: What is wrong, or why there was no test; empty if it passed.
    reason: str = ""
    #: Of QEMU: kvm or tcg; empty if there was no test.
    accelerator: str = ""

    def answer(self) -> dict[str, str]:
        return self._asdict()


def skipped(reason: str) -> Outcome:
    return Outcome(SKIPPED, plain_text.sentence(reason))


def of_problems(problems: Sequence[str], accelerator: str) -> Outcome:
    """Passed if there are none."""
    if not problems:
        return Outcome(PASSED, "", accelerator)
    reason = plain_text.few([plain_text.sentence(one) for one in problems], _MOST, "; ")
    return Outcome(FAILED, reason, accelerator)


def read(build: Path) -> Outcome | None:
    """Of a build's directory; None if it was never tested, or nothing usable is there."""
    found: dict[str, Any] = json_file.read(build / NAME) or {}
    values = [found.get(name) for name in Outcome._fields]
    if found.get("result") not in RESULTS or not all(isinstance(one, str) for one in values):
        return None
    return Outcome(*(plain_text.sentence(one) for one in values))


def write(build: Path, outcome: Outcome, serial: str = "") -> None:
    """Keep an outcome; a skipped test replaces none that was done."""
    before = read(build)
    if outcome.result == SKIPPED and before is not None and before.result != SKIPPED:
        return
    if serial:
        text = plain_text.lines(serial[-_LOG_LENGTH:].replace("\r", ""))
        atomic_file.write(build / LOG, text, 0o644)
    if outcome != before:
        json_file.write(build / NAME, outcome.answer())
