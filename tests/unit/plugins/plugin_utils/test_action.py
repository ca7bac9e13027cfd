# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bases of the action plugins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import (
    apt_removal_info,
    kconfig,
    show_fleet,
    signing_keys,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import action as bases

VARIABLES = {"inventory_hostname": "web3"}
ANSWER = {"removable": ["linux-image-x"], "refused": {"a": ["b"]}}


def task(kind: Any, **arguments: Any) -> Any:
    made = kind.__new__(kind)
    made._task = SimpleNamespace(args=arguments)
    return made


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Of whichever module is run; and which it was."""
    known: dict[str, Any] = {"is": ANSWER}

    def execute(self: Any, module_name: str, module_args: Any, task_vars: Any) -> dict[str, Any]:
        known["asked"] = (module_name, module_args, task_vars)
        found: dict[str, Any] = known["is"]
        return found

    monkeypatch.setattr(ActionBase, "_execute_module", execute)
    monkeypatch.setattr(ActionBase, "run", lambda *_args, **_more: {})
    return known


def test_a_host_is_asked_by_the_module_of_the_action(answer: dict[str, Any]) -> None:
    action = task(apt_removal_info.ActionModule, packages=["x"])
    assert action.run(task_vars=VARIABLES) == ANSWER
    assert answer["asked"] == ("oslab.kernel.apt_removal_info", {"packages": ["x"]}, VARIABLES)


def test_an_answer_of_the_wrong_form_fails_and_names_the_host(answer: dict[str, Any]) -> None:
    action = task(apt_removal_info.ActionModule)
    answer["is"] = {**ANSWER, "removable": 7}
    refused = action.run(task_vars=VARIABLES)
    assert refused["failed"]
    assert refused["msg"].startswith("web3 gave an answer to oslab.kernel.apt_removal_info")
    assert "removable is 7 and has to be a list" in refused["msg"]
    # What has failed has no such form.
    answer["is"] = {"failed": True, "msg": "no python"}
    assert action.run() == answer["is"]


def test_the_messages_of_a_builder_are_plain(answer: dict[str, Any]) -> None:
    answer["is"] = {"failed": True, "msg": "a\x1b[2J\nb", "manifest": "\x1b"}
    found = task(kconfig.ActionModule).run(task_vars=VARIABLES)
    assert found == {"failed": True, "msg": "a\\x1b[2J\nb", "manifest": "\x1b"}


def test_what_ansible_quotes_of_an_output_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    output = '{"changed": false}\r\n\x1b]0;mine\x07\x1b[2A\u202e'
    monkeypatch.setattr(
        ActionBase,
        "_low_level_execute_command",
        lambda *_args, **_more: {"rc": 0, "stdout": output, "stderr": "\x9b1A"},
    )
    for kind in (bases.HostAction, bases.BuilderAction):
        result = task(kind)._low_level_execute_command("x")
        assert result["stdout"] == '{"changed": false}\n\\x1b]0;mine\\x07\\x1b[2A\\u202e'
        assert result["stderr"] == "\\x9b1A"


def test_the_options_of_an_action_on_the_control_node(answer: dict[str, Any]) -> None:
    class Sum(bases.ControlAction):
        spec = {"numbers": {"type": "list", "elements": "int"}}  # noqa: RUF012

        def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
            return {"sum": sum(arguments["numbers"]), "host": variables["inventory_hostname"]}

    assert task(Sum, numbers="1,2").run(task_vars=VARIABLES) == {"sum": 3, "host": "web3"}
    with pytest.raises(AnsibleError, match="number"):
        task(Sum, number=1).run(task_vars=VARIABLES)


def test_who_needs_the_host() -> None:
    assert not show_fleet.ActionModule._requires_connection
    assert signing_keys.ActionModule._requires_connection


@pytest.mark.usefixtures("answer")
def test_targets_that_would_refuse_an_image_that_nobody_signs() -> None:
    info = {"release": "6.1", "secure_boot": True, "trusted_certificates": None}
    hosts = {"secure": {"kernel_target_info": info}, "away": {}}
    result = task(signing_keys.ActionModule, targets=["secure", "away"]).run(
        task_vars={**VARIABLES, "hostvars": hosts}
    )
    assert (result["signers"], result["accepting"]) == ({}, [])
    assert list(result["refused"]) == ["secure"]
    assert result["report"].startswith("secure enforces Secure Boot, and its firmware would refuse")
    nobody = task(signing_keys.ActionModule).run(task_vars=VARIABLES)
    assert (nobody["refused"], nobody["report"]) == ({}, "")
