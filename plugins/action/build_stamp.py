# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checksum over a builder's inputs on the control node, for the module build_stamp."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import release
from ansible.errors import AnsibleError
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    build_inputs,
    control_files,
    group_problems,
    known_variables,
    lock_file,
    variable_origin,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import BuilderAction

ROOT = Path(__file__).resolve().parents[2]


class ActionModule(BuilderAction):
    module = "oslab.kernel.build_stamp"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("state", "checked") != "checked":
            return super().act(arguments, variables)
        try:
            reason, inputs = self._inputs(variables)
        except Exception as error:  # a template that is not complete yet, a file that is not there
            # The role that needs it says what is wrong. The message may have a secret in it.
            reason, inputs = f"an input cannot be read ({type(error).__name__})", ""
        return super().act({**arguments, "inputs": inputs, "reason": reason}, variables)

    def _inputs(self, variables: dict[str, Any]) -> tuple[str, str]:
        """Why the roles have to run in any case, or '', and the checksum of the inputs."""
        known = known_variables.collect(ROOT)
        defaults = known_variables.defaults(ROOT)
        given, files = {}, {}
        for name in sorted(known.options):
            if known.roles[name] not in build_inputs.ROLES or name not in variables:
                continue
            given[name] = variable_origin.decrypted(self._templar.template(variables[name]))
            files.update(self._files(name, given[name], variables))
        tags = [str(tag) for tag in variables.get("ansible_run_tags") or ()]
        partial = tags not in ([], ["all"]) or bool(variables.get("ansible_skip_tags"))
        # Which playbook runs is no variable of a role.
        goal = {"build_goal": str(variables.get("build_goal", "build"))}
        reason = build_inputs.must_run({**defaults, **given, **goal}, partial)
        if reason:
            return reason, ""
        groups, hostvars = variables.get("groups") or {}, variables.get("hostvars") or {}
        # Where all connections are local, the repository's address may be, too.
        targets = [
            (str(name), hostvars[name].get("ansible_connection"))
            for name in groups.get(group_problems.TARGETS) or ()
        ]
        return "", build_inputs.checksum(
            {
                "ansible": release.__version__,
                "collection": build_inputs.collection(ROOT),
                "variables": given,
                "files": files,
                "host": [variables.get("inventory_hostname"), variables.get("ansible_host")],
                # In the order of the inventory: the first one's configuration is the base.
                "targets": targets,
            }
        )

    def _files(self, name: str, value: Any, variables: Mapping[str, Any]) -> dict[str, str]:
        """Where a file stands that a variable names → the checksum of what is in it."""
        role = ROOT / "roles" / name.partition("_")[0]
        named = list(control_files.named_in(name, value))
        if name in control_files.KEYS and value:
            named.append((name, str(value)))
        if name == "build_lock" and value:
            named.append(
                (
                    name,
                    str(lock_file.path_of(str(value), variables.get("inventory_dir")).absolute()),
                )
            )
        found = {}
        for where, path in named:
            try:
                found[where] = build_inputs.content(
                    Path(control_files.find(self, path, variables, [str(role)]))
                )
            except (AnsibleError, OSError):
                # The role finds it elsewhere, or says what is wrong with it.
                found[where] = f"{path} cannot be read"
        return found
