# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with the same texts are one question, others are another."""

from __future__ import annotations

from types import SimpleNamespace

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import kernel_inputs


def test_the_same_texts_are_checked_once(monkeypatch, tmp_path):
    checked = []

    def execute(self, module_name, module_args, task_vars):
        checked.append(module_args["sysname"])
        bad = module_args["sysname"] == "bad"
        return {"failed": True, "msg": "sysname"} if bad else {"changed": False}

    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(ActionBase, "_execute_module", execute)

    def act(sysname):
        action = kernel_inputs.ActionModule.__new__(kernel_inputs.ActionModule)
        action._task = SimpleNamespace(args={"sysname": sysname})
        return action.run(None, {})

    answers = [act(name) for name in ("good", "bad", "good", "bad")]
    assert checked == ["good", "bad"]
    assert [answer.get("failed", False) for answer in answers] == [False, True, False, True]
