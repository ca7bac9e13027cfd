# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the same texts once in a run, for however many hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible import constants
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once


class ActionModule(Action):
    """The answer depends on nothing but the arguments."""

    module = "oslab.kernel.kernel_inputs"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:

        def ask() -> dict[str, Any]:
            return self.execute(arguments, variables)

        question = [self.module, json.dumps(arguments, sort_keys=True, default=str)]
        return once(Path(constants.DEFAULT_LOCAL_TMP), question, ask)[1]
