# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboot a host as ansible.builtin.reboot does, when its group lets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.plugins.action.reboot import ActionModule as Reboot
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils.turns import LostError, Turns


class ActionModule(Reboot):
    """The `throttle` of a task counts all hosts as one group."""

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        arguments = dict(self._task.args)
        group = str(arguments.pop("group", "") or "")
        at_once = int(arguments.pop("at_once", 0) or 0)
        self._task.args = arguments
        if at_once < 1 or self._task.check_mode:
            return self._reboot(tmp, task_vars)
        # Of this run alone, and gone with it.
        turns = Turns(Path(constants.DEFAULT_LOCAL_TMP), group, at_once)
        try:
            with turns.one():
                result = self._reboot(tmp, task_vars)
                if result.get("failed") or result.get("unreachable"):
                    turns.lose((task_vars or {}).get("inventory_hostname", "a host"))
        except LostError as lost:
            of = f" of {group}" if group else ""
            return {
                "changed": False,
                "failed": True,
                "rebooted": False,
                "refused": True,
                "elapsed": 0,
                "msg": f"not rebooted, for {lost}{of} did not come back from its own reboot",
            }
        return result

    def _reboot(self, tmp: Optional[str], task_vars: Optional[dict[str, Any]]) -> dict[str, Any]:
        # It quotes what the host said as it was asked to reboot.
        return host_answer.plain(super().run(tmp, task_vars))
