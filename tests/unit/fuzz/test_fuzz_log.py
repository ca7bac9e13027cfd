# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel's log in which programs, devices and a broken kernel wrote what they like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.action import syscall_info
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log, log_rules
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_verdict import Settings
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_log as judgement
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import given
from hypothesis import strategies as st

EXAMPLES = tuple(rule.example for rule in log_rules.RULES)
REPORT = """\
------------[ cut here ]------------
WARNING: CPU: 1 PID: 312 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110
Call Trace:
 <TASK>
 oslab_init+0x5c/0x1000 [oslab_mod]
---[ end trace 0000000000000000 ]---
"""
RECORD = b"4,339,5140900,-,caller=T1;A Z\\xc3\\xbcrich \\x5c and\\x0amore\n SUBSYSTEM=acpi\n"
ENTRY = {
    "MESSAGE": EXAMPLES[0],
    "SYSLOG_FACILITY": "0",
    "_SOURCE_MONOTONIC_TIMESTAMP": "5140900",
}
SETTINGS = Settings(log_rules.SEVERITIES, log_rules.SEVERITIES, [])
LINES = st.one_of(st.sampled_from(EXAMPLES), hostile.texts(*EXAMPLES))


def check(records: list[kernel_log.Record], tainted: int) -> None:
    """Whatever a log has, the answer has the form, and can be judged against another one."""
    log = {**kernel_log.answer(kernel_log.Log(records, True), tainted), "baseline": None}
    # As it goes to the control node.
    sent = json.loads(json.dumps(log, allow_nan=False))
    got = host_answer.plain({"kernel_log": sent, "health": None})
    assert host_answer.problem(got, syscall_info.FORMS) == ""
    same = judgement.baseline(got["kernel_log"], "6.1")
    assert kernel_log.is_baseline(same)
    verdict = judgement.verdict(got["kernel_log"], same, SETTINGS)
    assert not any(one["fails"] for one in verdict["complaints"])
    judgement.verdict(got["kernel_log"], {}, SETTINGS)


@given(
    st.lists(LINES, max_size=60),
    hostile.texts(REPORT),
    st.integers(0, (1 << 64) - 1),
    st.booleans(),
)
def test_a_log(lines: list[str], report: str, tainted: int, fragment: bool) -> None:
    text = [*lines[::2], *report.split("\n"), *lines[1::2]]
    check([kernel_log.Record(0, line, fragment=fragment) for line in text], tainted)


@given(st.lists(hostile.contents(RECORD), max_size=20))
def test_records(data: list[bytes]) -> None:
    parsed = filter(None, map(kernel_log.parse_record, data))
    check([record for _number, record in parsed], 0)


@given(st.lists(hostile.values(ENTRY), max_size=5), hostile.contents(json.dumps(ENTRY).encode()))
def test_a_journal(entries: list[Any], more: bytes) -> None:
    data = b"\n".join([*(json.dumps(entry).encode() for entry in entries), more])
    records = kernel_log.parse_journal(data)
    check(list(records), 0)
    ring = kernel_log.Log([kernel_log.Record(7, "x")], False, ["/dev/kmsg"])
    printed = kernel_log.Output(data, whole=len(entries) > 1)
    check(list(kernel_log.merged(ring, lambda _argv: printed).records), 0)


BASELINE = {
    "release": "6.1",
    "tainted": 0,
    "complaints": [kernel_log.fingerprint("warn", "x")],
    "complete": True,
}


@given(hostile.values({"kernel_log": BASELINE}))
def test_a_record_of_the_installation(tmp_path: Path, record: Any) -> None:
    path = tmp_path / kernel_log.INSTALL_RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    found = kernel_log.recorded_baseline(tmp_path)
    log = {**kernel_log.answer(kernel_log.Log([], True), 0), "baseline": found}
    answer = {"kernel_log": log, "health": None}
    assert host_answer.problem(answer, syscall_info.FORMS) == ""


@given(hostile.texts(*EXAMPLES))
def test_names(text: str) -> None:
    name = kernel_log.normalised(text)
    assert len(name) <= kernel_log.NAME_LENGTH
    assert not any("0" <= one <= "9" for one in name)
