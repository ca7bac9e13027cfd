# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a host becomes metrics, and in which units."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import metrics
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import CAPTURE, TRACK
from ansible_collections.oslab.kernel.tests.lib.fake_kernel import BOOT_TIME, FakeKernel, ask
from ansible_collections.oslab.kernel.tests.lib.promtool import complaints, needs_promtool


def values(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _space, value in (line.rpartition(" ") for line in lines)}


def read(checks: Any = None, trial: Any = None, **changes: Any) -> dict[str, float]:
    result = ask(FakeKernel(), pid=1)
    return values(metrics.text({**result, **changes}, checks, trial))


ROWS: list[dict[str, Any]] = [{"ok": True}, {"ok": True}, {"ok": None}]


def test_all_that_is_known() -> None:
    found = read(ROWS)
    assert found["oslab_kernel_boot_timestamp_seconds"] == BOOT_TIME
    assert found['oslab_kernel_boot_info{boot_id="b007"}'] == 1
    assert found["oslab_kernel_trial_downtime_seconds"] == 31
    assert found["oslab_kernel_confirmed_timestamp_seconds"] == BOOT_TIME + 90
    assert found["oslab_kernel_verification_success"] == 1
    assert found["oslab_kernel_verification_timestamp_seconds"] == BOOT_TIME + 600
    assert found['oslab_kernel_verification_checks{result="ok"}'] == 2
    assert found['oslab_kernel_verification_checks{result="unknown"}'] == 1
    # The syscall counts KiB.
    assert found["oslab_kernel_memory_total_bytes"] == 1_000_000 * 1024
    assert found['oslab_kernel_syscalls_total{syscall="fork"}'] == 1000
    io = "oslab_kernel_process_io"
    assert found[f'{io}_bytes_total{{direction="read",layer="syscalls"}}'] == 1
    assert found[f'{io}_bytes_total{{direction="write",layer="storage"}}'] == 6
    assert found[f'{io}_calls_total{{direction="write"}}'] == 4
    info = 'release="6.8.0-49-usac1",version="",build_id="0123abcd"'
    assert any(name.startswith(f"oslab_kernel_info{{{info}") for name in found)


@needs_promtool
def test_names_units_and_types_are_as_prometheus_wants_them() -> None:
    assert complaints(metrics.text(ask(FakeKernel(), pid=1), ROWS)) == ""


@pytest.mark.parametrize(
    ("checks", "success"),
    [
        (ROWS, 1),
        ([*ROWS, {"ok": False}], 0),
        # A host that answers anything else than yes, no or unknown has not passed.
        ([*ROWS, {"ok": "yes"}], 0),
        ([], 0),
        ({"ok": 2, "failed": 0, "unknown": 0}, 1),
        ({"ok": 2, "failed": 1, "unknown": 0}, 0),
        ({}, 0),
    ],
)
def test_success(checks: Any, success: int) -> None:
    assert read(checks)["oslab_kernel_verification_success"] == success


def test_without_a_verification_there_is_none() -> None:
    assert [name for name in read(None) if "verification" in name] == []


def states(found: dict[str, float]) -> list[str]:
    start, end = 'oslab_kernel_trial_state{state="', '"}'
    return [
        name[len(start) : -len(end)] for name in found if name.startswith(start) and found[name]
    ]


def test_one_state_is_1() -> None:
    assert states(read()) == ["confirmed"]
    assert states(read(trial={"state": "fallback"})) == ["fallback"]
    assert states(read(trial={"state": "anything"})) == []
    assert states(read(trial={"state": ["fallback"]})) == []


def test_facts_of_a_host_that_was_not_verified() -> None:
    facts = {"release": "6.1", "oslab": {"build_id": "ab"}, "boot_id": "b", "sysname": "Linux"}
    found = values(metrics.text(facts, None, {"state": "fallback", "downtime": None}))
    wanted = 'oslab_kernel_info{release="6.1",version="",build_id="ab",sysname="Linux"}'
    assert found[wanted] == 1
    assert "oslab_kernel_trial_downtime_seconds" not in found


def hostile() -> list[dict[str, Any]]:
    known = ask(FakeKernel(), pid=1)
    found: list[dict[str, Any]] = [{}]
    for value in (None, True, 7, "text\n# x", [], [None, 3], {"x": 1}, 10**400, float("nan")):
        found += [{**known, name: value} for name in known]
        for name in (CAPTURE, TRACK):
            changed = copy.deepcopy(known)
            changed["syscalls"][name]["result"] = value
            found.append(changed)
    twice = copy.deepcopy(known)
    twice["syscalls"][TRACK]["result"] *= 2
    return [*found, twice]


@needs_promtool
def test_no_answer_makes_the_file_invalid() -> None:
    distinct = {metrics.text(answer, ROWS) for answer in hostile()}
    assert len(distinct) > 30
    for text in distinct:
        assert complaints(text) == "", text
