# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bases of the action plugins."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import (
    Form,
    plain,
    plain_messages,
    problem,
)

# All but what JSON has, and lines.
_UNUSUAL = re.compile(r"[^\x20-\x7e\n\t]")


class Action(ActionBase):
    """An action that usually runs the module of its own name."""

    #: The module.
    module = ""

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        super().run(tmp, task_vars)
        return self.act(dict(self._task.args), task_vars or {})

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The result of the task."""
        raise NotImplementedError

    def execute(
        self, arguments: dict[str, Any], variables: dict[str, Any], **options: Any
    ) -> dict[str, Any]:
        """Run the module; its answer as it is."""
        answer: dict[str, Any] = self._execute_module(
            module_name=self.module, module_args=arguments, task_vars=variables, **options
        )
        return answer


class ControlAction(Action):
    """An action without a module: it runs on the control node. Its arguments are validated."""

    _requires_connection = False

    #: The options, as in a module's argument_spec.
    spec: Mapping[str, Any] = {}

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        ActionBase.run(self, tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=dict(self.spec))
        return self.act(arguments, task_vars or {})


class _QuietAction(Action):
    """An action whose module's output Ansible may quote before it is an answer."""

    def _low_level_execute_command(self, *args: Any, **more: Any) -> dict[str, Any]:
        """The output of the host, with escapes for what is not plain; a module's JSON has none."""
        result: dict[str, Any] = super()._low_level_execute_command(*args, **more)
        for name in ("stdout", "stderr"):
            text = result.get(name)
            if isinstance(text, str) and _UNUSUAL.search(text):
                text = text.replace("\r\n", "\n")
                result[name] = plain_text.escape(text, keep="\n\t")
        return result


class HostAction(_QuietAction):
    """An action that runs its module on a host and checks the answer."""

    #: What the answer has to be, if that is checked.
    forms: Mapping[str, Form] = {}
    #: Parts of the answer in which a text may have several lines.
    lines: Collection[str] = ()

    def wrong(self, answer: Mapping[str, Any]) -> str:
        """What is wrong with an answer; empty if nothing is."""
        return problem(answer, self.forms)

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        answer = plain(self.execute(arguments, variables), self.lines)
        wrong = "" if answer.get("failed") else self.wrong(answer)
        if not wrong:
            return answer
        host = variables.get("inventory_hostname", "The host")
        return {
            "failed": True,
            "changed": False,
            "msg": (
                f"{host} gave an answer to {self.module} that the module never gives: {wrong}. "
                "Find out who else can change the system there, and remove the host from "
                "kernel_targets until that is known."
            ),
        }


class BuilderAction(_QuietAction):
    """An action that runs its module on a builder and makes the messages safe to print."""

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        return plain_messages(self.execute(arguments, variables))
