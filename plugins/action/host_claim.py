# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claim a host for this run, and tell who else has."""

from __future__ import annotations

import os
from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer, this_run


class ActionModule(ActionBase):
    """What only the control node knows: who this run is, and whether one of its own is over."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        super().run(tmp, task_vars)
        # A task is run by a child of ansible-playbook.
        run = this_run.of(os.getppid())
        arguments = {
            **self._task.args,
            "run": str(run),
            "text": this_run.described(run),
        }
        result = self._ask(arguments, task_vars)
        by = this_run.claimant(result)
        if by and this_run.is_gone(by.run):
            result = self._ask({**arguments, "gone": by.run}, task_vars)
            by = this_run.claimant(result)
        if by and not result.get("failed"):
            host = (task_vars or {}).get("inventory_hostname", "The host")
            path = arguments.get("path", "/run/oslab-kernel.claim")
            result["failed"] = True
            result["msg"] = (
                f"{host} is worked on by {by.text}. Run this again when that has ended. If it "
                f"was killed, its claim ends in {-(-by.seconds // 60)} min, with the host's "
                f"next boot, or by removing {path} there."
            )
        return result

    def _ask(
        self, arguments: dict[str, Any], task_vars: Optional[dict[str, Any]]
    ) -> dict[str, Any]:
        # Whose the claim is stands in a file of the host's.
        return host_answer.plain(
            self._execute_module(
                module_name="oslab.kernel.host_claim", module_args=arguments, task_vars=task_vars
            )
        )
