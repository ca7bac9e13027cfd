# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit's XML: a suite for each host, a case for its outcome and each check.

The form is that of Jenkins' and GitLab's readers (https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import model, outcome, words


def _plain(text: str) -> str:
    """XML 1.0 has no character for most control characters, not even as an escape."""
    return plain_text.escape(text, keep="\n\t")


def _case(suite: ET.Element, host: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": host, "name": _plain(name)})


def _mark(case: ET.Element, tag: str, message: str, text: str = "") -> None:
    mark = ET.SubElement(case, tag, {"message": _plain(message)})
    mark.text = _plain(text) or None


def _outcome(suite: ET.Element, host: model.Host, name: str) -> None:
    case = _case(suite, name, "outcome")
    kind = outcome.KINDS[host["outcome"]]
    if host["passed"] is False:
        text = f"{host['cause']}\n{host['remedy']}".strip()
        _mark(case, "error", kind.words, text)
    elif host["passed"] is None:
        _mark(case, "skipped", f"{kind.words}. {host['cause']}".strip())


def _check(suite: ET.Element, check: model.Check, name: str) -> None:
    case = _case(suite, name, check["name"])
    expected, read = words.value(check["expected"]), words.value(check["read"])
    if check["tolerance"]:
        expected += f" ±{check['tolerance']}"
    message = f"expected {expected}, read {read}"
    if check["result"] == model.FAILED:
        _mark(case, "failure", message, check["detail"])
    elif check["result"] == model.UNKNOWN:
        _mark(case, "skipped", f"{message}. {check['detail']}".strip())


def _suite(host: model.Host, written: str) -> ET.Element:
    name = _plain(host["name"])
    suite = ET.Element("testsuite", {"name": name, "hostname": name, "timestamp": written})
    _outcome(suite, host, name)
    for check in host["checks"]:
        _check(suite, check, name)
    _count(suite)
    return suite


def _gates(gates: Sequence[model.Gate], written: str) -> ET.Element:
    suite = ET.Element("testsuite", {"name": "gates", "timestamp": written})
    for gate in gates:
        case = _case(suite, f"wave {gate['wave']}", gate["name"])
        if not gate["passed"]:
            _mark(case, "failure", f"says no after {gate['waited']} s", gate["answer"])
    _count(suite)
    return suite


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(len(element.findall(f".//{tag}"))))


def render(report: model.Report) -> str:
    """The file, with a declaration."""
    written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(report["written"]))
    suites = ET.Element("testsuites", {"name": f"oslab.kernel {report['run']}"})
    suites.extend(_suite(host, written) for host in report["hosts"])
    if report["gates"]:
        suites.append(_gates(report["gates"], written))
    _count(suites)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
