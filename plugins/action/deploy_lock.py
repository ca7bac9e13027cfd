# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acquire the deployment lock of a host for this run, and name the run that holds it."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._host.deploy_lock import PATH
from ansible_collections.oslab.kernel.plugins.plugin_utils import this_run
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction


class ActionModule(HostAction):
    """What only the control node knows: who this run is, and whether one of its own is over."""

    module = "oslab.kernel.deploy_lock"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        # A task is run by a child of ansible-playbook.
        run = this_run.of(os.getppid())
        arguments = {**arguments, "run": str(run), "text": this_run.described(run)}
        # The name of the run that holds it comes from a file on the host.
        result = super().act(arguments, variables)
        by = this_run.lock_holder(result)
        if by and this_run.is_gone(by.run):
            result = super().act({**arguments, "gone": by.run}, variables)
            by = this_run.lock_holder(result)
        if by and not result.get("failed"):
            host = variables.get("inventory_hostname", "The host")
            path = arguments.get("path", PATH)
            result["failed"] = True
            result["msg"] = (
                f"{host}: the deployment lock is held by {by.text}. Run this again when that run "
                f"has ended. If it was killed, its lock expires in {-(-by.seconds // 60)} min, or "
                f"with the host's next boot; to release it now, remove {path} there."
            )
        return result
