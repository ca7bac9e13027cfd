# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print checks as a table, and below it the sizes of kernels as another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes
from ansible_collections.oslab.kernel.plugins.module_utils._verify import report
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction

display = Display()


class ActionModule(ControlAction):
    """Runs on the control node. Prints by itself, because the callbacks quote and fold lines."""

    spec: Mapping[str, Any] = {
        "title": {"type": "str", "default": ""},
        "checks": {"type": "list", "elements": "dict", "required": True},
        "sizes": {"type": "dict"},
        "quiet": {"type": "bool", "default": False},
        "fail": {"type": "bool", "default": False},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        checks = arguments["checks"]
        failures = report.failures(checks)
        if arguments["quiet"] and not failures:
            return {"changed": False, "failures": failures}
        lines = [plain_text.sentence(arguments["title"])] if arguments["title"] else []
        lines += report.table(checks)
        if arguments["sizes"]:
            lines += ["", *kernel_sizes.table(arguments["sizes"])]
        # In one piece, so that tables of hosts that finish together do not mix.
        display.display("\n".join(lines))
        result = {"changed": False, "failures": failures}
        if failures and arguments["fail"]:
            host = variables.get("inventory_hostname", "the host")
            result["failed"] = True
            result["msg"] = (
                f"{len(failures)} of {len(checks)} checks failed on {host}: {'; '.join(failures)}"
            )
        return result
