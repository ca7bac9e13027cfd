# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which complaints fail a kernel. More cases: test_kernel_log.py of plugin_utils."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_verdict import (
    Settings,
    judged,
)

WARN = "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
PANIC = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
TAINTED_W = 512


def log(*lines: str, tainted: int = 0) -> dict[str, Any]:
    records = [kernel_log.Record(1_000_000, line) for line in lines]
    return kernel_log.answer(kernel_log.Log(records, complete=True), tainted)


def settings(*allowed: str) -> Settings:
    severities = ("fatal", "error")
    return Settings(
        severities, severities, [{"pattern": one, "reason": "known"} for one in allowed]
    )


@pytest.mark.parametrize(
    ("of", "failing"),
    [
        (log("Linux version 6.8.0"), []),
        (log(WARN, PANIC), ["panic", "warn"]),
        # The log does not say why.
        (log(tainted=TAINTED_W), ["taint"]),
        (log(WARN, tainted=TAINTED_W), ["warn"]),
    ],
)
def test_what_fails(of: dict[str, Any], failing: list[str]) -> None:
    assert [one["kind"] for one in judged(of, {}, settings()) if one["fails"]] == failing


def test_what_is_allowed_or_known_does_not_fail() -> None:
    known = {"complaints": [kernel_log.fingerprint("warn", log(WARN)["complaints"][0]["name"])]}
    assert [one["state"] for one in judged(log(WARN), known, settings())] == ["before"]
    (allowed,) = judged(log(WARN), {}, settings("lib/refcount"))
    assert (allowed["state"], allowed["reason"], allowed["fails"]) == ("allowed", "known", False)
