# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which complaints of a kernel are new, and which of those fail a host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.filter import kernel_log_baseline
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log as log_reader
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    log_rules,
    log_verdict,
    report,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_log

RELEASE = "6.1.0-44-amd64"
WARN = {
    "kind": "warn",
    "name": "at lib/refcount.c:# refcount_warn_saturate",
    "count": 3,
    "seconds": 7,
    "lines": [
        "WARNING: CPU: 1 PID: 312 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110",
        "refcount_t: underflow; use-after-free.",
        "Modules linked in: oslab_mod(OE+) ext4",
    ],
}
FIRMWARE = {
    "kind": "firmware",
    "name": "iwlwifi-cc-#.ucode",
    "count": 1,
    "seconds": 2,
    "lines": ["iwlwifi 0000:01:00.0: firmware: failed to load iwlwifi-cc-77.ucode (-2)"],
}
OOPS = {**WARN, "kind": "oops", "name": "Oops in f", "lines": ["Oops: 0000 [#1] SMP"]}
# Modules of the collection are out-of-tree and unsigned.
OURS = {
    "kind": "taint",
    "name": "loading out-of-tree module taints kernel",
    "count": 1,
    "seconds": 9,
    "lines": ["capture_mem_mod: loading out-of-tree module taints kernel."],
}
O_AND_E, W = 4096 + 8192, 512


def log(*complaints: Any, tainted: int = 0, **more: Any) -> dict[str, Any]:
    whole = {"complete": True, "problem": "", "records": 700, "dropped": 0, "sources": []}
    return {**whole, "complaints": [*complaints], "tainted": tainted, **more}


def known(*complaints: Any, tainted: int = 0) -> dict[str, Any]:
    return kernel_log_baseline.kernel_log_baseline(log(*complaints, tainted=tainted), RELEASE)


def verdict(of: Any, baseline: Any, **settings: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "severities": ["fatal", "error"],
        "severities_without_baseline": ["fatal"],
        "allowed": [],
        **settings,
    }
    return kernel_log.verdict(of, baseline, log_verdict.Settings(**given))


def read(of: dict[str, Any]) -> tuple[Any, str]:
    """Whether it passed, and what the table shows."""
    assert of["checks"][0]["name"] == "kernel log"
    return of["checks"][0]["ok"], of["checks"][0]["actual"]


def allowed(pattern: str) -> list[dict[str, str]]:
    return [{"pattern": pattern, "reason": "known since May"}]


def test_a_log_without_complaints() -> None:
    found = verdict(log(), known())
    assert found["checks"] == [
        {
            "name": "kernel log",
            "ok": True,
            "expected": "no new complaints",
            "actual": "none",
            "tolerance": None,
            "detail": "compared with the boot of 6.1.0-44-amd64",
        }
    ]
    assert found["complaints"] == []
    assert found["baseline"] == RELEASE


def test_a_new_complaint_fails_and_is_shown() -> None:
    found = verdict(log(WARN, FIRMWARE), known(FIRMWARE))
    assert read(found) == (False, "1 new (1 as before)")
    assert report.failures(found["checks"]) == [
        "kernel log, warn: expected none, read WARNING: CPU: 1 PID: 312 at lib/refcount.c:28 "
        "refcount_warn_saturate+0xbe/0x110 (3 times, error, 7 s after the boot; refcount_t: "
        "underflow; use-after-free.; Modules linked in: oslab_mod(OE+) ext4)",
        "kernel log: expected no new complaints, read 1 new (1 as before) "
        "(compared with the boot of 6.1.0-44-amd64)",
    ]


def test_what_the_fallback_kernel_complained_of_is_not_new() -> None:
    other = {**WARN, "count": 90, "seconds": 1, "lines": ["WARNING: CPU: 0 PID: 7 at lib/refcount"]}
    assert read(verdict(log(WARN), known(other))) == (True, "none (1 as before)")
    assert read(verdict(log(WARN), known({**other, "kind": "lockdep"})))[0] is False
    assert read(verdict(log(WARN), known({**other, "name": "at x"})))[0] is False


def test_what_is_less_severe_fails_only_if_it_is_asked_for() -> None:
    assert read(verdict(log(FIRMWARE), known())) == (True, "none (1 less severe)")
    severe = verdict(log(FIRMWARE), known(), severities=["fatal", "error", "warning"])
    assert read(severe) == (False, "1 new")
    assert read(verdict(log(WARN), known(), severities=[])) == (True, "none (1 less severe)")


@pytest.mark.parametrize("pattern", [r"at lib/refcount\.c:", "use-after-free"])
def test_what_is_allowed_passes_with_its_reason(pattern: str) -> None:
    found = verdict(log(WARN), known(), allowed=allowed(pattern))
    assert read(found) == (True, "none (1 allowed)")
    assert found["complaints"][0]["reason"] == "known since May"


def test_the_names_of_modules_allow_nothing() -> None:
    assert read(verdict(log(WARN), known(), allowed=allowed("ext4")))[0] is False


def test_without_a_baseline_only_the_most_severe_ones_fail() -> None:
    empty: tuple[Any, ...] = ({}, None)
    for baseline in empty:
        found = verdict(log(WARN, FIRMWARE), baseline)
        assert read(found) == (True, "none (2 less severe, no baseline)")
        assert found["checks"][0]["expected"] == "no fatal complaints"
        assert read(verdict(log(OOPS, WARN), baseline)) == (
            False,
            "1 new (1 less severe, no baseline)",
        )
    some = verdict(log(WARN), {}, severities_without_baseline=["error", "fatal"])
    assert some["checks"][0]["expected"] == "no fatal or error complaints"
    assert read(some)[0] is False
    none = verdict(log(OOPS), {}, severities_without_baseline=[])
    assert none["checks"][0]["expected"] == "any complaints"
    assert read(none)[0] is True


def test_modules_of_the_collection_fail_no_host() -> None:
    found = verdict(log(OURS, tainted=O_AND_E), known())
    assert read(found) == (True, "none (1 less severe)")
    assert [one["severity"] for one in found["complaints"]] == ["notice"]


def test_a_taint_that_no_complaint_explains() -> None:
    lost = log(OURS, tainted=O_AND_E + W, complete=False)
    found = verdict(lost, known())
    assert read(found) == (False, "1 new (1 less severe, a part of the log is lost)")
    assert found["checks"][1]["actual"] == "the kernel is tainted: W, the kernel gave a warning"
    assert read(verdict(lost, known(tainted=W)))[0] is None
    # An allowed warning sets it.
    fine = verdict(log(WARN, OURS, tainted=O_AND_E + W), known(), allowed=allowed("refcount"))
    assert read(fine) == (True, "none (1 allowed, 1 less severe)")


def test_a_log_that_cannot_be_read_is_unknown() -> None:
    for of in (None, log(problem="/dev/kmsg cannot be read: x", complete=False)):
        found = verdict(of, known())
        assert read(found) == (None, "unknown")
        assert found["checks"][0]["detail"]
        assert len(found["checks"]) == 1
    assert kernel_log.baseline(log(problem="x"), RELEASE) == {}
    assert kernel_log.baseline(None, RELEASE) == {}


def test_an_incomplete_log_without_new_complaints_is_unknown() -> None:
    part = log(WARN, complete=False)
    assert read(verdict(part, known(WARN))) == (
        None,
        "unknown (1 as before, a part of the log is lost)",
    )
    assert read(verdict(part, known()))[0] is False
    assert read(verdict(log(complete=False), {}))[0] is None
    # Nothing could fail it.
    nothing = verdict(part, known(), severities=[], severities_without_baseline=[])
    assert read(nothing) == (True, "none (1 less severe, a part of the log is lost)")


def test_complaints_that_are_not_reported() -> None:
    assert read(verdict(log(WARN, dropped=2), known(WARN))) == (
        None,
        "unknown (1 as before, 2 not reported)",
    )
    # They are no more severe than the last one.
    assert read(verdict(log(WARN, FIRMWARE, dropped=2), known(WARN)))[0] is True


@pytest.mark.parametrize("missing", [{"complete": False}, {"dropped": 3}])
def test_an_incomplete_baseline(missing: dict[str, Any]) -> None:
    """What the fallback kernel may have complained of, too, fails only if it is fatal."""
    hung = {**WARN, "kind": "hung_task", "name": "x blocked", "lines": ["INFO: task x:1 blocked"]}
    part = kernel_log.baseline(log(**missing), RELEASE)
    assert part["complete"] is False
    assert kernel_log.baseline(log(), RELEASE)["complete"] is True
    assert read(verdict(log(hung), part)) == (True, "none (1 less severe, incomplete baseline)")
    assert read(verdict(log(OOPS), part))[0] is False
    # That there was no warning is known: it sets a flag.
    assert read(verdict(log(WARN), part))[0] is False
    assert read(verdict(log(WARN, tainted=W), {**part, "tainted": W}))[0] is True
    assert read(verdict(log(tainted=W), part))[0] is False


def test_a_baseline_of_an_earlier_version() -> None:
    """It does not say whether it is complete, and has other names of devices."""
    error = {**WARN, "kind": "io_error", "name": "I/O error (READ) (naa.5)", "lines": ["I/O error"]}
    old = {name: value for name, value in known(WARN).items() if name != "complete"}
    assert read(verdict(log(WARN, error), old)) == (
        True,
        "none (1 as before, 1 less severe, incomplete baseline)",
    )


def test_a_warning_is_the_same_in_other_kernels() -> None:
    def of(line: str) -> dict[str, Any]:
        records = [log_reader.Record(0, line)]
        return log_reader.answer(log_reader.Log(records, complete=True), 0)

    older = of("WARNING: CPU: 0 PID: 1 at drivers/foo/foo.c:12 foo_probe+0x12/0x30 [foo]")
    newer = of("WARNING: drivers/foo/foo.c:14 at foo_probe+0x9/0x40 [foo], CPU#0: modprobe/9")
    assert read(verdict(newer, kernel_log.baseline(older, RELEASE)))[0] is True
    for one in (older, newer):
        assert read(verdict(one, known(), allowed=allowed("at drivers/foo/")))[0] is True


def test_the_most_severe_ones_come_first_and_rows_are_few() -> None:
    many = [{**WARN, "name": f"at {n}", "lines": [f"WARNING: {n}"]} for n in "abcdefghijklmnop"]
    found = verdict(log(FIRMWARE, *many, OOPS, dropped=4), known())
    assert read(found) == (False, "17 new (1 less severe, 4 not reported)")
    assert [row["name"] for row in found["checks"]][:3] == [
        "kernel log",
        "kernel log, oops",
        "kernel log, warn",
    ]
    assert len(found["checks"]) == 1 + kernel_log.MOST_ROWS
    assert len(found["complaints"]) == 18


def test_a_complaint_without_lines() -> None:
    found = verdict(log({**WARN, "lines": []}), known())
    assert found["checks"][1]["actual"] == WARN["name"]


def test_each_kind_can_be_judged() -> None:
    for kind in log_rules.KINDS:
        verdict(log({**WARN, "kind": kind}), known())
