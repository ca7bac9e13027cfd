# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the doctor, and whether it fails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.action import show_doctor
from ansible_collections.oslab.kernel.plugins.plugin_utils.collection_version import (
    collection_version,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.doctor_report import BUILDER, CHECKS

GOOD = {"ok": True, "detail": ""}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(show_doctor.display, "display", texts.append)
    return texts


def act(**results: Any) -> dict[str, Any]:
    recorded = {**dict.fromkeys(CHECKS[BUILDER], GOOD), **results}
    host = {"doctor_results": {BUILDER: recorded}, "doctor_finished": {BUILDER: True}}
    action = show_doctor.ActionModule.__new__(show_doctor.ActionModule)
    return action.act({"builders": ["b"], "targets": []}, {"hostvars": {"b": host}})


def test_all_is_well(printed: list[str]) -> None:
    assert act() == {"changed": False, "failures": []}
    many = len(CHECKS[BUILDER])
    assert printed[0].endswith(f"{many} checks, {many} PASS, 0 FAIL")
    version = collection_version()
    assert re.match(rf"oslab\.kernel {re.escape(version)}, ansible-core 2\.\d+", printed[0])


def test_a_fail_fails_the_task_after_the_table(printed: list[str]) -> None:
    result = act(source={"ok": False, "detail": "no mirror has it"})
    assert result["failed"] is True
    assert result["msg"].startswith(f"1 of {len(CHECKS[BUILDER])} checks failed.")
    assert "source          | FAIL   | no mirror has it" in printed[0]


def test_the_distributions_are_those_of_the_role() -> None:
    known = show_doctor.distributions()
    assert {name: about["tested"] for name, about in known.items() if about["tested"]} == {
        "debian-12": ["builder", "target"],
        "debian-13": ["target"],
    }
    assert all(about["packages"] for about in known.values())


def test_of_several_kernels_the_one_that_a_target_takes_is_named(printed: list[str]) -> None:
    hosts: dict[str, Any] = {
        "a": {"publish_result": {"release": "6.8.0-a"}},
        "b": {},
        "t1": {},
        "t2": {"kernel_from": "b"},
    }
    groups = {"kernel_builders": ["a", "b"], "kernel_targets": ["t1", "t2"]}
    action = show_doctor.ActionModule.__new__(show_doctor.ActionModule)
    arguments = {"builders": ["a"], "targets": ["t1", "t2"]}
    action.act(arguments, {"hostvars": hosts, "groups": groups})
    assert "t1: no facts; takes the kernel of a (6.8.0-a)" in printed[0]
    assert "t2: no facts; takes the kernel of b (nothing published)" in printed[0]
    groups["kernel_builders"] = ["a"]
    action.act(arguments, {"hostvars": hosts, "groups": groups})
    assert "takes the kernel" not in printed[1]
