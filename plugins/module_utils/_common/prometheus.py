# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in the text format of Prometheus, as node_exporter's textfile collector reads them.

One sample that is no number, or two with the same labels, would make node_exporter refuse the whole
file: values come from hosts, so they are checked here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text

GAUGE, COUNTER = "gauge", "counter"
#: Characters of a label's value.
LONGEST = 200
# No counter of a kernel is larger, and no text of such a number is long.
_LARGEST = 2**64

Labels = Mapping[str, Any]


class Sample(NamedTuple):
    """One value. What is no finite number is left out."""

    value: Any
    labels: Mapping[str, Any] = {}


class Metric(NamedTuple):
    """All samples of one name. One without samples is left out.

    `name` has the unit (seconds, bytes); a counter's ends with _total. `help` is one line.
    """

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, text: str, value: Any) -> Metric:
    """One value without labels; None if there is none."""
    return Metric(name, GAUGE, text, (Sample(value),))


def info(name: str, text: str, labels: Labels) -> Metric:
    """A value of 1, whose labels are what it is about."""
    return Metric(name, GAUGE, text, (Sample(1, labels),))


def labelled(metrics: Iterable[Metric], labels: Labels) -> Iterator[Metric]:
    """The same with more labels, before their own; those that are empty are left out."""
    more = {name: value for name, value in labels.items() if value}
    for metric in metrics:
        samples = (one._replace(labels={**more, **one.labels}) for one in metric.samples)
        yield metric._replace(samples=tuple(samples))


def is_number(value: Any) -> bool:
    """Whether it is a finite number; to Python, True is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= _LARGEST if isinstance(value, int) else math.isfinite(value)


def label(value: Any) -> str:
    """The text of a label's value between its quotation marks: safe to show, and escaped."""
    text = "" if value is None else plain_text.escape(str(value))[:LONGEST]
    return text.replace("\\", r"\\").replace('"', r"\"")


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{label(one)}"' for key, one in labels.items())
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _lines(metric: Metric) -> Iterator[str]:
    found: dict[tuple[str, ...], str] = {}
    for sample in metric.samples:
        if is_number(sample.value):
            # The first one of those with the same labels.
            key = tuple(label(one) for one in sample.labels.values())
            found.setdefault(key, _line(metric.name, sample.labels, sample.value))
    if found:
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} {metric.kind}"
        yield from found.values()


def text(metrics: Iterable[Metric]) -> str:
    """A file's content."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))
