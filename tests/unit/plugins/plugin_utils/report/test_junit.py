# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit's XML, read back."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ansible_collections.oslab.kernel.plugins.plugin_utils.report import junit, model
from ansible_collections.oslab.kernel.tests.lib import report_example as example


def test_each_host_is_a_suite_and_each_check_a_case() -> None:
    report = example.fleet(4)
    report["gates"] = []
    report["hosts"][-1]["checks"][0]["result"] = "unknown"
    root = ET.fromstring(junit.render(report).encode())
    suites = {suite.attrib["name"]: suite for suite in root}
    assert list(suites) == [host["name"] for host in report["hosts"]]
    for host in report["hosts"]:
        suite = suites[host["name"]]
        names = [case.attrib["name"] for case in suite]
        assert names == ["outcome", *(check["name"] for check in host["checks"])]
        assert suite.attrib["tests"] == str(len(names))
    # One check and its host, and a host that does not answer.
    assert [root.attrib[name] for name in ("failures", "errors", "skipped")] == ["1", "2", "1"]
    (failure,) = root.iter("failure")
    assert failure.attrib["message"].startswith("expected 1000")
    assert failure.text == "WARNING: at mm/slub.c:1"
    errors = [(one.attrib["message"], one.text or "") for one in root.iter("error")]
    assert errors[1][0] == "NO ANSWER"
    assert errors[1][1].startswith("ssh: no route to host\nCheck the host's name")


def test_gates_are_a_suite() -> None:
    report = example.fleet(1)
    gate: model.Gate = {
        "wave": 2,
        "name": "always",
        "kind": "http",
        "passed": True,
        "waited": 7,
        "answer": "an alert fires",
    }
    report["gates"] = [gate, {**gate, "name": "no alert", "passed": False}]
    suite = ET.fromstring(junit.render(report).encode())[-1]
    assert (suite.attrib["name"], suite.attrib["failures"]) == ("gates", "1")
    (failure,) = suite.iter("failure")
    assert (failure.attrib["message"], failure.text) == ("says no after 7 s", "an alert fires")


def test_a_host_without_a_verdict_is_skipped() -> None:
    root = ET.fromstring(junit.render(example.report({"a": {}}, name="deploy")).encode())
    (skipped,) = root.iter("skipped")
    assert skipped.attrib["message"].startswith("not started.")
    assert root.attrib["skipped"] == "1"


def test_what_a_host_says_is_no_markup() -> None:
    known = example.host(0, example.HOSTILE, example.HOSTILE)
    text = junit.render(example.report({example.HOSTILE: known}))
    ET.fromstring(text.encode("utf-8"))
    assert "<script" not in text
    # By itself, whatever the report holds: XML has no such characters, not even escaped.
    report = example.report({"a": known})
    check = report["hosts"][0]["checks"][0]
    report["hosts"][0]["name"] = check["name"] = check["detail"] = example.HOSTILE
    report["hosts"][0]["cause"] = check["expected"] = example.HOSTILE
    check["result"] = "failed"
    root = ET.fromstring(junit.render(report).encode("utf-8"))
    (failure, _other) = root.iter("failure")
    assert "\\x00\\x1b[2J" in (failure.text or "")
