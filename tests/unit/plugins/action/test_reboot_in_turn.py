# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is rebooted when, and what ansible.builtin.reboot is asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.plugins.action.reboot import ActionModule as Reboot
from ansible_collections.oslab.kernel.plugins.action import reboot_in_turn

HOST = {"inventory_hostname": "web3"}


@pytest.fixture
def reboots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """With which options a reboot was asked for; each answers what the last of its options says."""
    asked: list[dict[str, Any]] = []

    def run(self: Any, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        asked.append(dict(self._task.args))
        return {"changed": True, "failed": self._task.args["reboot_timeout"] < 1}

    monkeypatch.setattr(Reboot, "run", run)
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path), raising=False)
    return asked


def act(**arguments: Any) -> dict[str, Any]:
    action = reboot_in_turn.ActionModule.__new__(reboot_in_turn.ActionModule)
    action._task = SimpleNamespace(args={"reboot_timeout": 1, **arguments}, check_mode=False)
    return action.run(task_vars=HOST)


def test_the_other_options_are_handed_on(reboots: list[dict[str, Any]]) -> None:
    assert act(group="rack", at_once=2) == {"changed": True, "failed": False}
    assert act() == {"changed": True, "failed": False}
    assert reboots == [{"reboot_timeout": 1}, {"reboot_timeout": 1}]


def test_a_lost_host_is_the_last_of_its_group(reboots: list[dict[str, Any]]) -> None:
    assert act(group="rack", at_once=1, reboot_timeout=0)["failed"]
    refused = act(group="rack", at_once=1)
    assert refused["failed"] and refused["refused"] and not refused["rebooted"]
    assert "web3 of rack did not come back" in refused["msg"]
    assert not act(group="other", at_once=1)["failed"]
    assert len(reboots) == 2
