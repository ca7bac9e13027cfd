# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a build becomes metrics, also of one that failed."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import metrics
from ansible_collections.oslab.kernel.tests.lib.promtool import complaints, needs_promtool

BUILT: dict[str, Any] = {
    "changed": True,
    "release": "6.12-x",
    "build_id": "ab" * 32,
    "build_result": {"version": "6.12-1", "ended": 1_700_000_000, "duration": 61.5},
}
FAILED = {**BUILT, "build_result": {}, "failed": True, "ended": 1_700_000_100, "duration": 3.2}


def lines(output: dict[str, Any]) -> list[str]:
    text = metrics.text(output)
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_build() -> None:
    about = f'release="6.12-x",version="6.12-1",build_id="{"ab" * 32}"'
    assert lines(BUILT) == [
        f"oslab_kernel_build_info{{{about}}} 1",
        "oslab_kernel_build_success 1",
        "oslab_kernel_build_timestamp_seconds 1700000000",
        "oslab_kernel_build_duration_seconds 61.5",
    ]


def test_one_that_failed() -> None:
    assert lines(FAILED)[1:] == [
        "oslab_kernel_build_success 0",
        "oslab_kernel_build_timestamp_seconds 1700000100",
        "oslab_kernel_build_duration_seconds 3.2",
    ]


def test_one_that_was_built_and_did_not_boot() -> None:
    assert lines({**BUILT, "failed": True})[1:] == [
        "oslab_kernel_build_success 0",
        "oslab_kernel_build_timestamp_seconds 1700000000",
        "oslab_kernel_build_duration_seconds 61.5",
    ]


def test_one_of_an_earlier_version_or_that_vanished() -> None:
    assert len(lines({**BUILT, "build_result": {"version": "6.12-1"}})) == 2
    assert lines({"failed": True, "msg": "no compiler"})[1:] == ["oslab_kernel_build_success 0"]


@needs_promtool
def test_names_units_and_types_are_as_prometheus_wants_them() -> None:
    assert complaints(metrics.text(BUILT)) == ""
    assert complaints(metrics.text(FAILED)) == ""
