#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a kernel module loaded with these parameters, or not loaded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_module
short_description: Load a kernel module with parameters, change them, or unload it
version_added: 0.1.0
description:
  - Loads a module of the running kernel, or unloads it.
  - Parameters are compared with what C(/sys/module) shows. One that differs is written there if
    the module allows it; otherwise the module is loaded anew.
  - C(community.general.modprobe) looks at whether the module is loaded, not at its parameters, so
    a changed parameter never reaches a module that is loaded.
options:
  name:
    description: Name of the module.
    type: str
    required: true
  params:
    description:
      - Parameters and their values. A parameter that is not named stays as it is, until the module
        is loaded anew.
      - Numbers are compared as numbers, with a leading 0 for octal, as the kernel reads them.
    type: dict
    default: {}
  state:
    description: What it should be.
    type: str
    choices: [loaded, unloaded]
    default: loaded
attributes:
  check_mode:
    description: >-
      Nothing is loaded or written. A module that the running kernel does not have counts as one
      that would be loaded.
    support: full
  diff_mode:
    description: Shows the state and the parameters.
    support: full
requirements:
  - modprobe
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Show the I/O of process 1
  oslab.kernel.kernel_module:
    name: io_throttle_mod
    params:
      pid: 1

- name: Unload it
  oslab.kernel.kernel_module:
    name: io_throttle_mod
    state: unloaded
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode.
  returned: success
  type: str
  choices: [none, load, unload, reload, write]
loaded:
  description: Whether the running kernel has the module, after this task.
  returned: success
  type: bool
parameters:
  description: Parameters as C(/sys/module) shows them, after this task.
  returned: success
  type: dict
  sample: {"pid": "1", "mode": "292"}
"""

import os
from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils.kernel_module import (
    Loaded,
    ModuleError,
    Plan,
    apply,
    make_plan,
    read_loaded,
    refuse_unknown,
    spelled,
)


def action_name(plan: Plan) -> str:
    if plan.load and plan.unload:
        return "reload"
    if plan.load:
        return "load"
    if plan.unload:
        return "unload"
    return "write" if plan.write else "none"


def shown(loaded: Loaded) -> str:
    lines = ["loaded" if loaded.loaded or loaded.builtin else "not loaded"]
    lines += [f"{name}={parameter.value}" for name, parameter in loaded.parameters.items()]
    return "".join(f"{line}\n" for line in lines)


def foretold(plan: Plan, loaded: Loaded, wanted: dict[str, str]) -> str:
    if plan.unload and not plan.load:
        return "not loaded\n"
    values = {name: parameter.value for name, parameter in loaded.parameters.items()}
    changed = wanted if plan.load else {name: wanted[name] for name in plan.write}
    lines = [f"{name}={value}" for name, value in sorted({**values, **changed}.items())]
    return "".join(f"{line}\n" for line in ["loaded", *lines])


def argument_spec() -> dict[str, Any]:
    return {
        "name": {"type": "str", "required": True},
        "params": {"type": "dict", "default": {}},
        "state": {"type": "str", "choices": ["loaded", "unloaded"], "default": "loaded"},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
    )
    name, state = module.params["name"], module.params["state"]
    wanted = {key: spelled(value) for key, value in module.params["params"].items()}

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        program = module.get_bin_path(command[0], opt_dirs=["/usr/sbin", "/sbin"], required=True)
        return module.run_command([program, *command[1:]])

    try:
        before = read_loaded(name)
        plan = make_plan(name, before, state, wanted)
        after = before
        # In a check run the kernel that has the module may not run yet.
        if state == "loaded" and (wanted or plan.load) and not module.check_mode:
            refuse_unknown(run, name, wanted, os.uname().release)
        if plan.changed and not module.check_mode:
            apply(run, name, plan, wanted)
            after = read_loaded(name)
    except ModuleError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=plan.changed,
        action=action_name(plan),
        loaded=after.loaded or after.builtin,
        parameters={key: parameter.value for key, parameter in after.parameters.items()},
        diff={
            "before": shown(before),
            "after": foretold(plan, before, wanted) if module.check_mode else shown(after),
        },
    )


if __name__ == "__main__":
    main()
