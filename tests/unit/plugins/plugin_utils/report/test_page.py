# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: what it holds, what no host can put there, how large it is, and who can read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import charts, model, page, words
from ansible_collections.oslab.kernel.tests.lib import report_example as example

LARGEST = 2_000_000
_EMPTY = {"meta", "br", "rect"}
# HTML closes these by itself.
_OPTIONAL = {"tr", "th", "td", "dt", "dd", "li", "p", "tbody", "thead"}


class Page(HTMLParser):
    """The elements with their attributes, what is not closed, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        while self.open and self.open[-1] != tag and self.open[-1] in _OPTIONAL:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, Optional[str]]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def small() -> str:
    return page.render(example.fleet(6))


def test_it_has_what_people_look_for(small: str) -> None:
    text = " ".join(Page(small).text.split())
    for wanted in (
        "Failures (2)", "kernel log, warn: expected 1, read 2", "Remedy: Find the cause",
        "NO ANSWER", "no route to host", "verified (4)", example.RELEASE, "booted bygrub",
        "shutdown 8 s, firmware 11 s, boot loader 5 s, kernel 4 s", "Changed by the trial boot (1)",
        "Counters before and after the workload", "Checks that passed (104)", "initrd -, modules",
        "Where the downtime went", "wave 2", "Size on disk", "* Hello *",
    ):  # fmt: skip
        assert wanted in text, wanted
    # What failed is at the beginning, before any other host.
    assert text.index("WARNING: at mm/slub.c") < text.index("web0.example.org")


def test_the_page_is_well_formed_and_needs_nothing_else(small: str) -> None:
    for text in (small, page.render(example.fleet(1)), page.render(example.report({}))):
        found = Page(text)
        assert found.faults == []
        assert set(found.open) <= _OPTIONAL
        names = {name for name, _attributes in found.elements}
        assert not names & {"script", "link", "img", "iframe", "object", "base", "form"}
        for _name, attributes in found.elements:
            assert not {"src", "srcset", "style", "onload", "onclick"} & set(attributes)
            assert (attributes.get("href") or "#").startswith("#")
        assert "url(" not in text
        assert "@import" not in text
        (policy,) = [one for one in found.all("meta") if one.get("http-equiv")]
        assert (policy["content"] or "").startswith("default-src 'none'")


def test_it_can_be_read_by_keyboard_and_screen_reader(small: str) -> None:
    found = Page(small)
    assert found.all("html") == [{"lang": "en"}]
    assert len(found.all("main")) == len(found.all("h1")) == 1
    levels = [int(name[1]) for name, _attributes in found.elements if re.fullmatch("h[1-6]", name)]
    # No level is passed over on the way down.
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels))
    assert len(found.all("th")) > 100
    assert all(one.get("scope") in ("row", "col") for one in found.all("th"))
    assert found.all("svg")
    assert all(one["role"] == "img" and one["aria-label"] for one in found.all("svg"))
    regions = [one for one in found.all("div") if one.get("role") == "region"]
    assert regions
    assert all(one["aria-label"] and one["tabindex"] == "0" for one in regions)
    ids = [attributes["id"] for _name, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(one["href"] or "")[1:] for one in found.all("a")}
    assert targets - set(ids) == set()


def test_what_the_waves_waited_for() -> None:
    text = page.render(example.fleet(3))
    section = text.partition('id="gates"')[2].partition("</section>")[0]
    assert [word in section for word in ("an hour", "alerts", "3600 s", "NO")] == [True] * 4
    assert 'id="gates"' not in page.render(example.fleet(1))


def test_what_a_host_says_is_no_markup() -> None:
    known = example.host(0, example.HOSTILE, example.HOSTILE)
    known["verify_shown"]["report"]["kernel_log"]["complaints"][0]["lines"] = [example.HOSTILE]
    known["verify_shown"]["report"]["health"]["changes"][0]["label"] = example.HOSTILE
    known["verify_shown"]["report"]["sizes"]["release"] = example.HOSTILE
    known["verify_result"]["manifest"] = {"build_id": "1", "sysname": example.HOSTILE}
    known["install_host_facts"]["boot_loader"] = example.HOSTILE
    report = example.report({example.HOSTILE: known}, waves=[[example.HOSTILE]])
    text = page.render(report)
    found = Page(text)
    assert found.faults == []
    assert found.all("script") == []
    assert text.count("alert(1)") > 8
    assert "<script" not in text
    assert all(one.isprintable() or one == "\n" for one in text)
    # No template of a host is evaluated.
    assert "{{ 7 * 7 }}" in found.text
    # The engine escapes by itself, whatever the report holds.
    report["hosts"][0]["cause"] = report["hosts"][0]["name"] = "</p><script>x</script>"
    report["build"][0]["value"] = "<b onclick=x>"
    assert Page(page.render(report)).all("script") == []
    assert "<b onclick" not in page.render(report)


# --- the size -------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [500, 1500])
def test_the_page_of_a_large_fleet_is_small(many: int) -> None:
    report = example.fleet(many)
    text = page.render(report)
    assert len(text.encode()) <= LARGEST
    # Each host is named, the failed one in full.
    assert all(host["name"] in text for host in report["hosts"])
    assert "WARNING: at mm/slub.c:1" in text
    # What did not fail is left out first.
    full = text.count("Checks that passed (")
    assert full > 20 if many == 500 else full >= 1
    assert text.count('<details class="host"') == many or many > 500


@pytest.mark.parametrize("kind", ["checks", "complaints", "lines", "changes"])
def test_a_host_with_a_lot_to_say_takes_nobody_s_place(kind: str) -> None:
    report = example.fleet(30)
    first = report["hosts"][0]
    assert first["passed"] is False
    if kind == "checks":
        first["checks"] = [
            {**first["checks"][0], "name": f"check {number}", "result": model.FAILED}
            for number in range(20_000)
        ]
    elif kind == "changes":
        first["health"]["changes"] *= 20_000
    elif kind == "complaints":
        first["log"]["complaints"] *= 20_000
    else:
        first["log"]["complaints"][0]["lines"] = [f"line {number}" for number in range(200_000)]
    text = page.render(report)
    assert len(text.encode()) <= LARGEST
    assert Page(text).faults == []
    assert text.count('<details class="host"') == 30
    assert kind == "lines" or "more, in <code>report.json</code>" in text


@pytest.mark.parametrize("hostile", [1, 3, 12])
def test_hosts_with_large_answers_leave_the_others_their_place(hostile: int) -> None:
    report = example.fleet(500)
    rude = "'" * 600
    for host in report["hosts"][:hostile]:
        host["passed"], host["cause"], host["remedy"] = False, rude, rude
        host["checks"] = [
            model.Check(
                name=f"{number} {rude}",
                result=result,
                expected=rude,
                read=rude,
                tolerance=rude,
                detail=rude,
            )
            for number in range(1000)
            for result in (model.FAILED, model.UNKNOWN)
        ]
    report["outcomes"] = {"not_confirmed": hostile, "verified": 500 - hostile}
    text = page.render(report)
    assert len(text.encode()) <= LARGEST
    assert text.count('<details class="host"') == 500
    assert text.count("Checks that passed (") > 20
    # The number of checks is that of all, and each link leads somewhere.
    assert re.search(r'<h2 id="checks">Checks \((\d{4})\)', text)
    found = Page(text)
    ids = {attributes.get("id") for _name, attributes in found.elements}
    assert {(one["href"] or "")[1:] for one in found.all("a")} <= ids


def test_a_failure_without_an_entry_has_no_link() -> None:
    text = page.render(example.fleet(6), room=0)
    assert text.count('<details class="host"') == 0
    assert 'href="#h0"' not in text and 'id="failures"' in text


def test_without_room_hosts_are_names(small: str) -> None:
    report = example.fleet(6)
    assert small.count('<details class="host"') == 6
    text = page.render(report, room=6_000)
    assert 0 < text.count('<details class="host"') < 6
    assert "Only in <code>report.json</code>" in text
    assert all(host["name"] in text for host in report["hosts"])


# --- colours --------------------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_letters_and_charts_have_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") < 4.5
    style = (page.TEMPLATES / "report.css.j2").read_text(encoding="utf-8")
    themes = re.findall(r":root \{([^}]*--s1[^}]*)\}", style)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme))
        for ground in ("bg", "panel"):
            for name in ("fg", "muted", "ok", "bad", "warn", "link"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for number in range(1, 8):
            assert contrast(colours[f"s{number}"], colours["bg"]) >= 3, number


# --- charts and words -----------------------------------------------------------------------------


def test_a_chart_has_its_figures_as_text() -> None:
    found = {chart.title: chart for chart in charts.all_of(example.fleet(30))}
    assert len(found) == 5
    stages = found["Where the downtime went"]
    assert stages.summary == "1 min 11 s, medians of 29 hosts."
    assert [part.figure for part in stages.legend] == ["8 s", "11 s", "5 s", "4 s", "7 s", "36 s"]
    assert found["Downtime"].summary == "1 min 10 s to 1 min 18 s, median 1 min 14 s, 29 hosts."
    assert "modules stock 98.0 MiB" in found["Size on disk"].svg
    assert "wave 1: 1 host, 1 min 22 s" in found[next(name for name in found if "Wave" in name)].svg


def test_charts_without_figures_are_left_out() -> None:
    assert charts.all_of(example.report({"a": {}, "b": {}}, waves=[["a"], ["b"]])) == []


def test_the_time_line_says_that_waves_are_left_out() -> None:
    def waves(number: int) -> charts.Chart:
        found = [
            model.Wave(number=one, hosts=["a"], started=600 * one, ended=600 * one + 300)
            for one in range(1, number + 1)
        ]
        (chart,) = charts.waves(found)
        return chart

    all_of_them, some = waves(40), waves(50)
    assert [str(one.svg).count("<rect") for one in (all_of_them, some)] == [40, 40]
    assert "first" not in all_of_them.summary
    # Of all waves, not only of those with a bar.
    assert some.summary == (
        "From 1970-01-01 00:10:00 UTC to 1970-01-01 08:25:00 UTC, 8 h 15 min. "
        "The chart has the first 40 of 50 waves."
    )
    assert "the first 40 of 50 waves" in some.svg


def test_bars_stay_in_the_drawing() -> None:
    for many in (1, 2, 500):
        for chart in charts.all_of(example.fleet(many)):
            for x, width in re.findall(r'<rect x="([\d.]+)".*? width="([\d.]+)"', chart.svg):
                assert float(x) + float(width) <= charts.WIDTH + 1, chart.title


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((None, "-"), (0, "0 s"), (59.4, "59 s"), (59.9, "1 min 0 s"), (152, "2 min 32 s")),
        (7260, "2 h 1 min"),
    ],
)
def test_durations(seconds: Optional[float], text: str) -> None:
    assert words.duration(seconds) == text


def test_other_figures() -> None:
    assert words.mib(None) == "-"
    assert words.mib(3 << 19) == "1.5 MiB"
    assert words.when(None) == words.when(2**63) == "-"
    assert words.when(0) == "1970-01-01 00:00:00 UTC"
    assert (words.value(True), words.value(None), words.value(7)) == ("yes", "-", "7")
    assert (words.difference(5, 3), words.difference(5, None)) == ("-2", "-")


# --- in a browser ---------------------------------------------------------------------------------

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(not BROWSER, reason="it needs chromium")
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    """A page that a script measures: without the policy, which lets no script run."""
    text = page.render(example.fleet(6)).replace("<details", "<details open")
    text = re.sub(r"<meta http-equiv[^>]*>", "", text)
    # A frame, because no window of this browser is as narrow as a phone.
    (tmp_path / "frame.html").write_text(
        f'<iframe id="f" width="{width}" height="900" style="border:0" srcdoc=""></iframe>'
        "<script>const f = document.getElementById('f');"
        "f.onload = () => { document.title = 'WIDTH ' + "
        "f.contentDocument.documentElement.scrollWidth };"
        f"f.srcdoc = {_script_text(text)};</script>"
    )
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--virtual-time-budget=20000", f"--user-data-dir={tmp_path}/profile",
         (tmp_path / "frame.html").as_uri()],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        timeout=300, check=True,
    )  # fmt: skip
    (found,) = re.findall(r"<title>WIDTH (\d+)</title>", done.stdout.decode())
    assert int(found) <= width


def _script_text(text: str) -> str:
    return json.dumps(text).replace("</", "<\\/")


def test_several_kernels_are_told_apart() -> None:
    hosts = {"a": example.host(), "b": example.host()}
    builds = {"alice": example.MANIFEST, "bob": {"release": "6.6-bob", "build_id": "b" * 64}}
    chosen = {"a": "alice", "b": "bob"}
    found = page.render(example.report(hosts, builds=builds, kernel_from=chosen))
    assert "takes the kernel of<dd>bob: " in found
    assert "6.6-bob, " + "b" * 64 in found
    assert "<h3>bob</h3>" in found
    one = page.render(example.report(hosts, builds=builds, kernel_from=dict.fromkeys(hosts, "bob")))
    assert "takes the kernel of" not in one
    assert "6.6-bob" in one
    assert "<h3>bob</h3>" not in one
