# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_entries, gate_kinds

SECRET = "Bearer top-secret-word"
HTTP = {"url": "https://prometheus.example/api/v1/query?query=ALERTS"}


def entry(**given: Any) -> dict[str, Any]:
    return {"name": "g", **given}


@pytest.mark.parametrize(
    ("given", "condition", "limit"),
    [
        ({"soak": 600}, gate_kinds.Soak(600, 60), 600),
        ({"soak": "600", "limit": 5}, gate_kinds.Soak(600, 5), 600),
        ({"approval": {"file": "/run/ok"}}, gate_kinds.Approval("/run/ok"), 3600),
        ({"approval": {"prompt": "Go?"}, "limit": "60"}, gate_kinds.Approval("", "Go?"), 60),
        ({"command": ["true", 1]}, gate_kinds.Command(("true", "1")), 3600),
        ({"command": ["x"], "rc": 2, "limit": 0}, gate_kinds.Command(("x",), 2), 0),
        ({"http": HTTP}, gate_kinds.Http(HTTP["url"]), 3600),
        (
            {"http": {**HTTP, "headers": {"A": 1}, "path": "a.b", "value": []}},
            gate_kinds.Http(HTTP["url"], {"A": "1"}, "a.b", [], True),
            3600,
        ),
    ],
)
def test_gates(given: dict[str, Any], condition: gate_kinds.Condition, limit: int) -> None:
    gate = gate_entries.parse(entry(**given))
    assert gate.condition == condition
    assert gate.limit == limit
    assert not gate.before_first
    assert not list(gate_entries.problems("deploy_gates", [entry(**given)]))


@pytest.mark.parametrize(("given", "expected"), [("yes", True), ("false", False), (True, True)])
def test_a_switch_may_be_a_text(given: Any, expected: bool) -> None:
    gate = gate_entries.parse(entry(command=["true"], before_first=given))
    assert gate.before_first is expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "it has to have one of soak, window, approval, command, http, but has none"),
        ({"soak": 1, "command": ["x"]}, "but has soak and command"),
        ({"name": " ", "soak": 1}, "it has no name"),
        ({"soak": 0}, "soak is 0: it has to be 1 to 604800"),
        ({"soak": 700_000}, "soak is 700000: it has to be"),
        ({"soak": 1, "limit": 0}, "limit is 0: it has to be 1 to"),
        ({"soak": 1, "before_first": True}, "before the first wave no host soaks"),
        ({"soak": 1, "rc": 1}, "rc belongs to a command"),
        ({"window": {"zone": "Moon"}}, "window: zone is 'Moon'"),
        ({"window": {"from": 540}}, "window: from is 540, not a text"),
        ({"approval": {}}, "approval has to have a file, a prompt or both"),
        ({"approval": {"file": "ok"}}, "approval: file is 'ok': give an absolute path"),
        ({"command": []}, "command is an empty list"),
        ({"command": ["a\0b"]}, "command has a NUL character"),
        ({"command": ["x"], "rc": 256}, "rc is 256: it has to be 0 to 255"),
        ({"command": ["x"], "limit": -1}, "limit is -1: it has to be 0 to 604800"),
        ({"command": ["x"], "limit": True}, "limit is True"),
        ({"http": {"url": "file:///etc/passwd"}}, "begins with http:// or https://"),
        ({"http": {"url": "https://"}}, "begins with http"),
        ({"http": {"url": "https://a b"}}, "begins with http"),
        ({"http": {"url": "https://[x/"}}, "begins with http"),
        ({"http": {"url": "https://a:99999/"}}, "begins with http"),
        ({"http": {"url": "https://me:pw@a/"}}, "url cannot be used: it holds a name or a pass"),
        ({"http": {**HTTP, "path": "a"}}, "path has no value to compare with"),
        ({"http": {**HTTP, "headers": {"A b": SECRET}}}, "headers has a name that no header has"),
        ({"http": {**HTTP, "headers": {"A": f"{SECRET}\r\nB: c"}}}, "headers: A has a character"),
        ({"http": {**HTTP, "headers": {"A": f"{SECRET}\u00e9"}}}, "headers: A has a character"),
    ],
)
def test_what_is_no_gate(given: dict[str, Any], message: str) -> None:
    (found,) = gate_entries.problems("deploy_gates", [entry(**given)])
    assert found.startswith("deploy_gates[0]")
    assert message in found
    assert "secret" not in found
    assert "pw" not in found


def test_two_gates_of_one_name() -> None:
    two = [entry(soak=1), entry(command=["true"])]
    (found,) = gate_entries.problems("deploy_gates", two)
    assert found == "deploy_gates[1]: another gate has the name 'g': give it one of its own"


def test_a_name_is_safe_to_print() -> None:
    gate = gate_entries.parse({"name": "a\x1b[2J\nb", "soak": 1})
    assert gate.name == "a\\x1b[2J b"
