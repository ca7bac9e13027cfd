# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the same texts once in a run, for however many hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once

MODULE = "oslab.kernel.kernel_inputs"


class ActionModule(ActionBase):
    """The answer depends on nothing but the arguments."""

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

        question = [MODULE, json.dumps(arguments, sort_keys=True, default=str)]
        return once(Path(constants.DEFAULT_LOCAL_TMP), question, ask)[1]
