# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checksum over a builder's inputs on the control node, for the module build_stamp."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import release
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    build_inputs,
    control_files,
    control_keys,
    kernel_choice,
    known_variables,
    lock_file,
    variable_origin,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import BuilderAction

display = Display()
ROOT = Path(__file__).resolve().parents[2]


#: Of builder and targets, by which the role publish judges the repository's address.
_REACH = ("ansible_connection", "ansible_host", "ansible_port", "install_transport")


def _tags(variables: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Those of --tags, none for all, and of --skip-tags."""
    tags = [str(tag) for tag in variables.get("ansible_run_tags") or ()]
    skipped = [str(tag) for tag in variables.get("ansible_skip_tags") or ()]
    return [] if tags == ["all"] else tags, skipped


def _goal(variables: Mapping[str, Any]) -> str:
    return str(variables.get("build_goal", "build"))


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
        keep = not build_inputs.roles_run(*_tags(variables)) or _goal(variables) == "rebuild"
        asked = {**arguments, "inputs": inputs, "reason": reason, "keep": keep}
        answer = super().act(asked, variables)
        if answer.get("reason"):
            display.v(f"The roles of the builder run: {answer['reason']}.")
        return answer

    def _inputs(self, variables: dict[str, Any]) -> tuple[str, str]:
        """Why the roles have to run in any case, or '', and the checksum of the inputs."""
        known = known_variables.collect(ROOT)
        defaults = variable_origin.trusted(known_variables.defaults(ROOT))
        # A variable may name another one's default, as `patch_files`.
        templar = self._templar.copy_with_new_env(available_variables={**defaults, **variables})
        given, files = {}, {}
        for name in sorted(known.options):
            if known.roles[name] not in build_inputs.ROLES or name not in variables:
                continue
            given[name] = variable_origin.decrypted(templar.template(variables[name]))
            files.update(self._files(name, given[name], variables))
        # Which playbook runs is no variable of a role.
        goal = {"build_goal": _goal(variables)}
        reason = build_inputs.must_run(
            {**defaults, **given, **goal}, build_inputs.some_steps(*_tags(variables))
        )
        if reason:
            return reason, ""
        groups, hostvars = variables.get("groups") or {}, variables.get("hostvars") or {}
        # Their addresses and connections decide whether they reach the repository.
        builder = str(variables.get("inventory_hostname"))
        targets = {
            name: [hostvars[name].get(one) for one in _REACH]
            for name in (builder, *kernel_choice.targets_of(builder, hostvars, groups))
        }
        return "", build_inputs.checksum(
            {
                "ansible": release.__version__,
                "collection": build_inputs.collection(ROOT),
                "variables": given,
                "files": files,
                # In the order of the inventory: the first one's configuration is the base.
                "hosts": list(targets.items()),
                # A host that chooses no kernel takes that of the first builder.
                "first": kernel_choice.rank(builder, groups) != kernel_choice.OTHER,
            }
        )

    def _files(self, name: str, value: Any, variables: Mapping[str, Any]) -> dict[str, str]:
        """Where a file stands that a variable names → the checksum of what is in it."""
        role = ROOT / "roles" / name.partition("_")[0]
        named = list(control_files.named_in(name, value))
        if name in control_files.KEYS and value:
            # Nobody else may read it, and its certificate has to be valid still.
            control_keys.read(self, str(value), name, dict(variables))
            named.append((name, str(value)))
        if name == "build_lock" and value:
            named.append(
                (
                    name,
                    str(lock_file.path_of(str(value), variables.get("inventory_dir")).absolute()),
                )
            )
        return {
            where: build_inputs.content(
                Path(control_files.find(self, path, variables, [str(role)]))
            )
            for where, path in named
        }
