# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acquire the deployment lock of a host for this run, and name the run that holds it."""

from __future__ import annotations

import os
from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.module_utils._host.deploy_lock import PATH
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
        by = this_run.lock_holder(result)
        if by and this_run.is_gone(by.run):
            result = self._ask({**arguments, "gone": by.run}, task_vars)
            by = this_run.lock_holder(result)
        if by and not result.get("failed"):
            host = (task_vars or {}).get("inventory_hostname", "The host")
            path = arguments.get("path", PATH)
            result["failed"] = True
            result["msg"] = (
                f"{host}: the deployment lock is held by {by.text}. Run this again when that run "
                f"has ended. If it was killed, its lock expires in {-(-by.seconds // 60)} min, or "
                f"with the host's next boot; to release it now, remove {path} there."
            )
        return result

    def _ask(
        self, arguments: dict[str, Any], task_vars: Optional[dict[str, Any]]
    ) -> dict[str, Any]:
        # The name of the run comes from a file on the host.
        return host_answer.plain(
            self._execute_module(
                module_name="oslab.kernel.deploy_lock", module_args=arguments, task_vars=task_vars
            )
        )
