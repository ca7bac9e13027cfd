# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the builder for the list of a build's files: once in a run, if that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once

MODULE = "oslab.kernel.build_files_info"
_OUT_OF_REACH = "connection_failure"


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)

        def ask() -> dict[str, Any]:
            answer: dict[str, Any] = self._execute_module(
                module_name=MODULE, module_args=arguments, task_vars=task_vars
            )
            return answer

        if not boolean(arguments.get("keep", False)):
            return ask()

        def ask_or_say_why_not() -> dict[str, Any]:
            # A builder that is off is waited for once, not once for each host.
            try:
                return ask()
            except AnsibleConnectionFailure as error:
                return {_OUT_OF_REACH: str(error)}

        asked = self._task.delegate_to or (task_vars or {})["inventory_hostname"]
        question = [str(asked), str(arguments.get("store")), str(arguments.get("build_id"))]
        path, answer = once(Path(constants.DEFAULT_LOCAL_TMP), question, ask_or_say_why_not)
        if _OUT_OF_REACH in answer:
            raise AnsibleConnectionFailure(answer[_OUT_OF_REACH])
        files = answer.pop("files", None)
        if not answer.get("failed"):
            if files and not (isinstance(files, dict) and isinstance(files.get("release"), str)):
                return {"failed": True, "msg": f"{asked} answered with something that is no list"}
            answer["path"] = str(path) if files else None
            answer["release"] = files["release"] if files else None
        return answer
