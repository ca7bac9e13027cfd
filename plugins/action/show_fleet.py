# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the state of the hosts of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.plugin_utils import fleet_report
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction

display = Display()


class ActionModule(ControlAction):
    """Runs on the control node, once for all hosts."""

    spec: Mapping[str, Any] = {"hosts": {"type": "list", "elements": "str", "required": True}}

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        hostvars = variables["hostvars"]
        lines = fleet_report.report(
            fleet_report.standing(name, hostvars[name]) for name in arguments["hosts"]
        )
        display.display("\n".join(lines))
        return {"changed": False, "lines": lines}
