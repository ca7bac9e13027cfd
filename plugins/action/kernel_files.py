# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a host the list that build_files_info has stored on the control node."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer, kept_list
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action


class ActionModule(Action):
    module = "oslab.kernel.kernel_files"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        path = arguments.pop("files_path", None)
        if path:
            if arguments.get("files"):
                raise AnsibleActionFail("files and files_path are two ways to give one list")
            arguments["files"] = kept_list.read(str(path))
        return host_answer.plain(self.execute(arguments, variables))
