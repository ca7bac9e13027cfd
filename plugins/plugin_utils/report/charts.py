# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small charts of a fleet, as SVG that a page holds.

They have no colours of their own: the page's style sheet has those of the classes s1 to s7, so that
they follow light and dark. Each has its figures as text, for whoever sees no chart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes
from ansible_collections.oslab.kernel.plugins.plugin_utils import boot_stages
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import model, words
from markupsafe import Markup

#: Units of the drawing; the page makes it as wide as it has room.
WIDTH = 360
_BAR, _GAP, _TEXT = 14, 6, 11
_BINS = 12
#: Bars of the time line; the sentence above it is of all waves.
_MOST_WAVES = 40
#: Stages that are the boot of the kernel and its system, without shutdown and firmware.
_BOOT = ("kernel", "initrd", "user_space")


class Part(NamedTuple):
    """Of a legend: the class of its colour, what it is, and its figure."""

    style: str
    words: str
    figure: str


class Chart(NamedTuple):
    """A figure of the page; `summary` is what it shows, in one sentence."""

    title: str
    summary: str
    svg: Markup
    legend: Sequence[Part] = ()


def _svg(height: float, shapes: Sequence[Markup], label: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}" preserveAspectRatio="xMinYMin">'
    ).format(WIDTH, height, label) + Markup("{}</svg>").format(Markup("").join(shapes))


def _rect(x: float, y: float, width: float, height: float, style: str, title: str = "") -> Markup:
    tip = Markup("<title>{}</title>").format(title) if title else ""
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}">{}</rect>'
    ).format(x, y, max(width, 0.5), height, style, tip)


def _label(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )


def _hosts(number: int) -> str:
    return f"{number} host{'s' if number != 1 else ''}"


def _range(values: Sequence[float]) -> str:
    """The least, the median and the largest."""
    least, middle, most = (words.duration(f(values)) for f in (min, median, max))
    return f"{least} to {most}, median {middle}, {len(values)} hosts"


def stages(hosts: Sequence[model.Host]) -> Iterator[Chart]:
    """Where the downtime went: one bar of the medians of all hosts."""
    of_hosts = [
        {stage["name"]: stage["seconds"] for stage in one["boot"]["stages"]}
        for one in hosts
        if one["boot"]["stages"]
    ]
    found = boot_stages.medians(of_hosts)
    total = sum(found.values())
    if not total:
        return
    legend = []
    shapes = []
    x = 0.0
    for number, (name, text) in enumerate(boot_stages.NAMES.items(), 1):
        if name in found:
            width = WIDTH * found[name] / total
            figure = words.duration(found[name])
            legend.append(Part(f"s{number}", text, figure))
            shapes.append(_rect(x, 0, width, 2 * _BAR, f"s{number}", f"{text}: {figure}"))
            x += width
    text = ", ".join(f"{part.words} {part.figure}" for part in legend)
    yield Chart(
        "Where the downtime went",
        f"{words.duration(total)}"
        + (f", medians of {len(of_hosts)} hosts." if of_hosts[1:] else "."),
        _svg(2 * _BAR, shapes, text),
        legend,
    )


def _histogram(title: str, values: Sequence[float]) -> Iterator[Chart]:
    if len(values) < 2:  # the stages have that one
        return
    summary = f"{_range(values)}."
    least, most = min(values), max(values)
    bins = min(_BINS, len(values)) if most > least else 1
    step = (most - least) / bins or 1
    counts = [0] * bins
    for value in values:
        counts[min(int((value - least) / step), bins - 1)] += 1
    height = 60.0
    width = WIDTH / bins
    shapes = []
    for number, count in enumerate(counts):
        low = least + number * step
        tall = height * count / max(counts)
        if count:
            text = f"{words.duration(low)} to {words.duration(low + step)}: {_hosts(count)}"
            shapes.append(_rect(number * width, height - tall, width - 2, tall, "s1", text))
    y = height + _TEXT + 4
    ends = [_label(0, y, words.duration(least))]
    if most > least:
        ends.append(_label(WIDTH, y, words.duration(most), "end"))
    shapes.append(_rect(0, height, WIDTH, 1, "axis"))
    yield Chart(title, summary, _svg(y + 4, [*shapes, *ends], f"{title}: {summary}"))


def downtimes(hosts: Sequence[model.Host]) -> Iterator[Chart]:
    found = [one["boot"]["downtime"] for one in hosts]
    yield from _histogram("Downtime", [seconds for seconds in found if seconds is not None])


def boot_times(hosts: Sequence[model.Host]) -> Iterator[Chart]:
    """Of kernel, initrd and user space together."""
    found = []
    for one in hosts:
        parts = [part["seconds"] for part in one["boot"]["stages"] if part["name"] in _BOOT]
        if parts:
            found.append(sum(parts))
    yield from _histogram("Boot time, from the kernel's start until ssh", found)


def _median_size(found: Sequence[model.Size], part: str) -> Optional[float]:
    sizes = [one[part] for one in found]  # type: ignore[literal-required]
    known = [size for size in sizes if size is not None]
    return median(known) if known else None


def sizes(hosts: Sequence[model.Host]) -> Iterator[Chart]:
    """The medians of the custom kernel, and of the distribution's."""
    custom = [one["sizes"][0] for one in hosts if one["sizes"]]
    stock = [one["sizes"][1] for one in hosts if len(one["sizes"]) > 1]
    rows = [
        (part, style, figure)
        for part in kernel_sizes.PARTS
        for style, found in (("s1", custom), ("s6", stock))
        for figure in (_median_size(found, part),)
        if figure is not None
    ]
    if not rows:
        return
    most = max(figure for _part, _style, figure in rows) or 1
    left, right = 60, 75
    shapes = []
    y = 0
    for number, (part, style, figure) in enumerate(rows):
        first = number == 0 or rows[number - 1][0] != part
        y += _GAP if first and number else 0
        if first:
            shapes.append(_label(0, y + _TEXT, part))
        width = (WIDTH - left - right) * figure / most
        shapes.append(_rect(left, y, width, _BAR - 2, style))
        shapes.append(_label(left + width + 6, y + _TEXT, words.mib(figure)))
        y += _BAR
    legend = [Part("s1", "custom kernel", custom[0]["release"] if custom else "")]
    if stock:
        legend.append(Part("s6", "stock kernel", stock[0]["release"]))
    names = {"s1": "custom", "s6": "stock"}
    text = ", ".join(f"{part} {names[style]} {words.mib(size)}" for part, style, size in rows)
    summary = "Medians of all hosts." if len(custom) > 1 else ""
    yield Chart("Size on disk", summary, _svg(y, shapes, text), legend)


def waves(found: Sequence[model.Wave]) -> Iterator[Chart]:
    """One bar a wave, from its first reboot to its last confirmed kernel."""
    known = [
        (one, one["started"], one["ended"])
        for one in found
        if one["started"] is not None and one["ended"] is not None
    ]
    if not known:
        return
    begin, end = min(start for _one, start, _end in known), max(end for _one, _s, end in known)
    span = max(end - begin, 1)
    left = 64
    shapes = []
    texts = []
    y = 0
    for wave, start, stop in known[:_MOST_WAVES]:
        of = len(wave["hosts"])
        about = f"{_hosts(of)}, {words.duration(stop - start)}"
        texts.append(f"wave {wave['number']}: {about}, from {words.when(start)}")
        x = left + (WIDTH - left) * (start - begin) / span
        width = (WIDTH - left) * (stop - start) / span
        shapes.append(_label(0, y + _TEXT, f"wave {wave['number']}"))
        shapes.append(_rect(x, y, width, _BAR - 2, "s1", texts[-1]))
        y += _BAR
        # Below its bar, where it fits at either side.
        anchor = "start" if x < WIDTH / 2 else "end"
        shapes.append(_label(x if anchor == "start" else x + width, y + _TEXT, about, anchor))
        y += _BAR + _GAP
    summary = f"From {words.when(begin)} to {words.when(end)}, {words.duration(span)}."
    if len(known) > _MOST_WAVES:
        some = f"the first {_MOST_WAVES} of {len(known)} waves"
        summary += f" The chart has {some}."
        texts.insert(0, some)
    title = "Waves, from the first reboot to the last confirmed kernel"
    yield Chart(title, summary, _svg(y, shapes, "; ".join(texts)))


def all_of(report: model.Report) -> list[Chart]:
    """Those for which the report has figures."""
    hosts = report["hosts"]
    return [
        *waves(report["waves"]),
        *stages(hosts),
        *downtimes(hosts),
        *boot_times(hosts),
        *sizes(hosts),
    ]
