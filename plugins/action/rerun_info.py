# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe how this run of ansible-playbook is repeated."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ansible import context
from ansible_collections.oslab.kernel.plugins.plugin_utils import rerun
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction


class ActionModule(ControlAction):
    """What only the control node knows: its command line and environment."""

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        options = context.CLIARGS
        program = str(Path(shutil.which(sys.argv[0]) or sys.argv[0]).absolute())
        command = rerun.argv(sys.executable, program, options)
        return {
            "changed": False,
            "problem": rerun.problem(program, options, os.environ, Path.cwd()),
            "script": rerun.script(command, Path.cwd(), rerun.environment(os.environ)),
        }
