# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run. Nothing fails for want of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.release import __version__ as ansible_version
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.collection_version import (
    collection_version,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import (
    collect,
    files,
    outcome,
    progress,
)

display = Display()


class ActionModule(ControlAction):
    """Runs on the control node, once for all hosts."""

    spec: Mapping[str, Any] = {
        "dir": {"type": "path", "required": True},
        "run": {"type": "str", "choices": list(outcome.RUNS), "required": True},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "answering": {"type": "list", "elements": "str", "required": True},
        "wave": {"type": "list", "elements": "str", "default": []},
        "begins": {"type": "bool", "default": False},
        "building": {"type": "bool", "default": False},
        "builds": {"type": "dict", "default": {}},
        "show": {"type": "bool", "default": True},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"changed": False, "files": []}
        if not arguments["dir"]:
            return {**result, "skipped": True, "msg": "report_dir is empty"}
        if self._task.check_mode:
            return {**result, "skipped": True, "msg": "in check mode no report is written"}
        try:
            paths = self._write(arguments, variables["hostvars"], variables.get("groups") or {})
        except Exception as error:  # a fleet that is deployed stays so, whatever is wrong here
            reason = plain_text.sentence(f"{type(error).__name__}: {error}")
            display.warning(
                f"The report was not written to {arguments['dir']} (report_dir): {reason}. The "
                "hosts are as the output above says. Set report_dir to a directory that "
                "this user can write, or to '' for no report."
            )
            return {**result, "msg": reason}
        if arguments["show"] and paths:
            display.display(f"Report: {paths[0]}")
        return {**result, "files": [str(path) for path in paths]}

    def _write(
        self,
        arguments: Mapping[str, Any],
        hostvars: Mapping[str, Any],
        groups: kernel_choice.Groups,
    ) -> list[Path]:
        known = progress.add(
            Path(constants.DEFAULT_LOCAL_TMP),
            arguments["hosts"],
            arguments["answering"],
            arguments["wave"],
            begins=arguments["begins"],
        )
        if arguments["building"] and not known.hosts:
            return []
        kernel_from = {
            name: kernel_choice.builder_of(name, hostvars, groups) for name in known.hosts
        }
        builders = kernel_choice.builders(groups) if arguments["building"] else ()
        without = {name: outcome.without_kernel(name, hostvars[name]) for name in builders}
        run = collect.Run(
            name=arguments["run"],
            written=int(time.time()),
            versions=f"oslab.kernel {collection_version()}, ansible-core {ansible_version}",
            hosts=known.hosts,
            lost=[*known.lost, *known.begun],
            waves=known.waves,
            gates=known.gates,
            builds=arguments["builds"],
            kernel_from=kernel_from,
            without_kernel=without,
        )
        report = collect.report(run, {name: hostvars[name] for name in known.hosts})
        return files.write(Path(arguments["dir"]).absolute(), files.contents(report))
