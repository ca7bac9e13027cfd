# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch from a git repository on the builder; an address with a password goes no further."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._source import git_names
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import BuilderAction


class ActionModule(BuilderAction):
    module = "oslab.kernel.source_git"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        # The arguments of a module are in the log of the builder.
        problem = git_names.url_problem(str(arguments.get("url", "")))
        if problem:
            return {"failed": True, "msg": f"source_git_url cannot be used: {problem}"}
        return super().act(arguments, variables)
