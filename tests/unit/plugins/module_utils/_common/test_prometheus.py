# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of a host must not make a whole file invalid, or a line that is not its own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import prometheus
from ansible_collections.oslab.kernel.plugins.module_utils._common.prometheus import Metric, Sample
from ansible_collections.oslab.kernel.tests.lib.promtool import complaints, needs_promtool

HOSTILE = [
    'a"} 1\nforged_metric 2',
    "back\\slash",
    "\\",
    '"',
    "\x1b[2J\x00\r\u202e",
    "half a pair \ud800",
    "{{ 1 + 1 }}",
    "á🚀",
    "x" * 10_000,
    None,
    ["a", {"b": "c"}],
    10**400,
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_label_stays_in_its_line(value: Any) -> None:
    text = prometheus.text([prometheus.info("x_info", "About.", {"name": value})])
    assert text.count("\n") == 3
    assert text.splitlines()[-1].startswith('x_info{name="')
    assert text.endswith('"} 1\n')
    assert len(text) < 500
    text.encode("utf-8")


@needs_promtool
def test_prometheus_reads_such_labels() -> None:
    samples = tuple(Sample(1, {"number": i, "name": one}) for i, one in enumerate(HOSTILE))
    assert complaints(prometheus.text([Metric("x_info", "gauge", "About.", samples)])) == ""


@needs_promtool
def test_promtool_finds_what_is_wrong() -> None:
    assert complaints('x_info{name="a"b"} 1\n') != ""
    assert "counter" in complaints("# HELP x_calls Calls.\n# TYPE x_calls counter\nx_calls 1\n")


def test_escapes() -> None:
    assert prometheus.label('a\\b"c\nd') == r"a\\b\"c\\nd"


NO_NUMBERS: list[object] = [None, True, "1", float("nan"), float("inf"), 10**400, [], {}]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=str)
def test_what_is_no_number_is_left_out(value: Any) -> None:
    assert prometheus.text([prometheus.gauge("x", "X.", value)]) == ""


def test_numbers() -> None:
    samples = tuple(Sample(one, {"n": i}) for i, one in enumerate([0, 2**64, 1.5]))
    assert prometheus.text([Metric("x", "gauge", "X.", samples)]).splitlines() == [
        "# HELP x X.",
        "# TYPE x gauge",
        'x{n="0"} 0',
        'x{n="1"} 18446744073709551616',
        'x{n="2"} 1.5',
    ]


def test_of_equal_labels_the_first_one_counts() -> None:
    samples = (Sample(1, {"name": "a"}), Sample(2, {"name": "b"}), Sample(3, {"name": "a"}))
    lines = prometheus.text([Metric("x", "gauge", "X.", samples)]).splitlines()
    assert lines[2:] == ['x{name="a"} 1', 'x{name="b"} 2']
