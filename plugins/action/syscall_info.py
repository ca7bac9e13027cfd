# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the checks of a host's kernel, safe to print."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.plugin_utils import health, kept_list, kernel_log
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction

# What is judged on the control node; the rest is shown as it is.
FORMS = {"kernel_log": kernel_log.FORM, "health": health.FORM}


class ActionModule(HostAction):
    module = "oslab.kernel.syscall_info"
    forms = FORMS
    # The boot message among it.
    lines = ("manifest",)

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        files = arguments.get("files")
        if files and files.get("files_path"):
            listed = kept_list.read(str(files["files_path"]))
            arguments["files"] = {**files, "files": listed}
        return super().act(arguments, variables)
