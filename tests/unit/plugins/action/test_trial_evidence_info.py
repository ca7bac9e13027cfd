# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the control node is added to a host's answer, and which answers are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.action import trial_evidence_info
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction

RELEASE = "6.12.117-49-usac1"
ANSWER: dict[str, Any] = {
    **trial_evidence_info.NOTHING,
    "kept_by": {"journal": True, "pstore": "", "kdump": False},
    "records": [{"source": "journal", "name": "x", "lines": ["y"]}],
}
SERIAL = f"Linux version {RELEASE} (x)\r\n[ 1.0] Kernel panic - not syncing: \x07x\r\n"


def act(monkeypatch: pytest.MonkeyPatch, answer: Any, **arguments: Any) -> dict[str, Any]:
    monkeypatch.setattr(HostAction, "execute", lambda *_args, **_more: answer)
    action = trial_evidence_info.ActionModule.__new__(trial_evidence_info.ActionModule)
    return action.act({"release": RELEASE, **arguments}, {"inventory_hostname": "web1"})


def test_the_console_is_one_more_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "serial.log"
    path.write_text(SERIAL)
    answer = act(monkeypatch, ANSWER, serial_log=str(path))
    assert answer["console"] == {"read": True, "console": True, "started": True}
    assert [one["source"] for one in answer["records"]] == ["journal", "serial"]
    assert answer["records"][1]["lines"][1] == "Kernel panic - not syncing: \\x07x"


def test_a_host_that_does_not_answer_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "serial.log"
    path.write_text(SERIAL)
    answer = act(monkeypatch, AssertionError, serial_log=str(path), answers="false")
    assert [one["source"] for one in answer["records"]] == ["serial"]


def test_a_host_whose_part_fails_has_its_console(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "serial.log"
    path.write_text(SERIAL)
    answer = act(monkeypatch, {"failed": True, "msg": "no python"}, serial_log=str(path))
    assert not answer.get("failed")
    assert [one["source"] for one in answer["records"]] == ["serial"]
    [warning] = answer["warnings"]
    assert warning.startswith("the host's own evidence is missing: ")
    assert act(monkeypatch, {"failed": True, "msg": "x"})["failed"]


def test_of_the_console_only_what_came_since_the_reboot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "serial.log"
    path.write_text(SERIAL)
    offset = path.stat().st_size
    answer = act(monkeypatch, ANSWER, serial_log=str(path), serial_offset=offset)
    assert [one["source"] for one in answer["records"]] == ["journal"]


def test_a_console_that_cannot_be_read_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = act(monkeypatch, ANSWER, serial_log="/nowhere/serial.log")
    assert not answer.get("failed")
    [warning] = answer["warnings"]
    assert warning == (
        "trial_serial_log: /nowhere/serial.log cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"records": [{"source": "serial", "name": "x", "lines": []}]},
        {"records": [{"source": "pstore", "name": "x", "lines": ["y" * 9000]}]},
        {"records": [{"source": "pstore", "name": "x", "lines": ["y"] * 301}]},
        {"records": ANSWER["records"] * 9},
        {"journal": {"boot_id": "../..", "units": [], "manager": [], "shut_down": False}},
        {"kept_by": {"journal": "yes", "pstore": "", "kdump": False}},
        {"timer": None},
        {"failed_before": ["x" * 9000]},
        {"failed_before": ["x"] * 201},
        {"complaints_before": ["x"] * 201},
    ],
)
def test_an_answer_that_the_module_never_gives(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    answer = act(monkeypatch, {**ANSWER, **change})
    assert answer["failed"] and "gave an answer" in answer["msg"]
    assert not act(monkeypatch, ANSWER).get("failed")
