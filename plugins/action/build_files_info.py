# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the builder for the list of a build's files: once in a run, if that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once

_OUT_OF_REACH = "connection_failure"


class ActionModule(Action):
    module = "oslab.kernel.build_files_info"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:

        def ask() -> dict[str, Any]:
            return self.execute(arguments, variables)

        if not boolean(arguments.get("keep", False)):
            return ask()

        def answer_or_error() -> dict[str, Any]:
            # A builder that is off is waited for once, not once for each host.
            try:
                return ask()
            except AnsibleConnectionFailure as error:
                return {_OUT_OF_REACH: str(error)}

        asked = self._task.delegate_to or variables["inventory_hostname"]
        question = [str(asked), str(arguments.get("store")), str(arguments.get("build_id"))]
        path, answer = once(Path(constants.DEFAULT_LOCAL_TMP), question, answer_or_error)
        if _OUT_OF_REACH in answer:
            raise AnsibleConnectionFailure(answer[_OUT_OF_REACH])
        files = answer.pop("files", None)
        if not answer.get("failed"):
            if files and not (isinstance(files, dict) and isinstance(files.get("release"), str)):
                return {"failed": True, "msg": f"{asked} answered with something that is no list"}
            answer["path"] = str(path) if files else None
            answer["release"] = files["release"] if files else None
        return answer
