#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: kernel modules loaded with these parameters, or not loaded; now and at boot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_modules
short_description: Load kernel modules with parameters, change these, or unload them
version_added: 0.1.0
description:
  - Loads modules of the running kernel, or unloads them, and says which of them are loaded at boot.
  - Parameters are compared with what C(/sys/module) shows. One that differs is written there if
    the module allows it; otherwise the module is loaded anew.
  - C(community.general.modprobe) looks at whether the module is loaded, not at its parameters, so
    a changed parameter never reaches a module that is loaded.
options:
  modules:
    description: The modules, in the order in which they are dealt with.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the module.
        type: str
        required: true
      params:
        description:
          - Parameters and their values. A parameter that is not named stays as it is, until the
            module is loaded anew.
          - Numbers are compared as numbers, with a leading 0 for octal, as the kernel reads them.
        type: dict
        default: {}
      state:
        description: What it should be.
        type: str
        choices: [loaded, unloaded]
        default: loaded
  persistent:
    description:
      - V(true) writes those that are to be loaded to C(/etc/modules-load.d/oslab-kernel.conf), and
        their parameters to C(/etc/modprobe.d/oslab-kernel.conf); V(false) removes these files,
        and so does V(true) with none to be loaded. They are left alone without it.
      - The files come last, so what a module refuses does not get into the boot.
    type: bool
attributes:
  check_mode:
    description: >-
      Nothing is loaded or written. A module that the running kernel does not have counts as one
      that would be loaded.
    support: full
  diff_mode:
    description: Shows the state and the parameters of each module, and the files.
    support: full
  action:
    description: Has a corresponding action plugin, which makes texts safe to print.
    support: full
requirements:
  - modprobe
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Show the I/O of process 1, after each boot too
  oslab.kernel.kernel_modules:
    modules:
      - name: io_throttle_mod
        params:
          pid: 1
    persistent: true

- name: Unload a module
  oslab.kernel.kernel_modules:
    modules:
      - name: io_throttle_mod
        state: unloaded
"""

RETURN = r"""
modules:
  description: The modules, in the order of O(modules).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the module.
      type: str
    action:
      description: What was done, or would be in check mode.
      type: str
      choices: [none, load, unload, reload, write]
    loaded:
      description: Whether the running kernel has the module, after this task.
      type: bool
    parameters:
      description: Parameters as C(/sys/module) shows them, after this task.
      type: dict
      sample: {"pid": "1", "mode": "292"}
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import modules_load
from ansible_collections.oslab.kernel.plugins.module_utils._host.kernel_module import (
    Loaded,
    ModuleError,
    Plan,
    apply,
    make_plan,
    malformed,
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


def predicted(plan: Plan, loaded: Loaded, wanted: dict[str, str]) -> str:
    if plan.unload and not plan.load:
        return "not loaded\n"
    values = {name: parameter.value for name, parameter in loaded.parameters.items()}
    changed = wanted if plan.load else {name: wanted[name] for name in plan.write}
    lines = [f"{name}={value}" for name, value in sorted({**values, **changed}.items())]
    return "".join(f"{line}\n" for line in ["loaded", *lines])


def argument_spec() -> dict[str, Any]:
    return {
        "modules": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "params": {"type": "dict", "default": {}},
                "state": {
                    "type": "str",
                    "choices": ["loaded", "unloaded"],
                    "default": "loaded",
                },
            },
        },
        "persistent": {"type": "bool"},
    }


def ensure(module: AnsibleModule, entry: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Load or unload one module. Returns what became of it, and the difference."""
    name, state = entry["name"], entry["state"]
    wanted = {key: spelled(value) for key, value in entry["params"].items()}

    run = module_runner(module)
    before = read_loaded(name)
    plan = make_plan(name, before, state, wanted)
    after = before
    # In a check run the kernel that has the module may not run yet.
    if state == "loaded" and (wanted or plan.load) and not module.check_mode:
        refuse_unknown(run, name, wanted, os.uname().release)
    if plan.changed and not module.check_mode:
        apply(run, name, plan, wanted)
        after = read_loaded(name)
    result = {
        "name": name,
        "action": action_name(plan),
        "loaded": after.loaded or after.builtin,
        "parameters": {key: parameter.value for key, parameter in after.parameters.items()},
    }
    difference = {
        "before_header": name,
        "before": shown(before),
        "after_header": name,
        "after": predicted(plan, before, wanted) if module.check_mode else shown(after),
    }
    return result, difference


def ensure_boot(module: AnsibleModule) -> list[dict[str, str]]:
    """Update the files that are read at boot. Returns the differences of those that changed."""
    entries = [
        modules_load.Entry(
            entry["name"], {key: spelled(value) for key, value in entry["params"].items()}
        )
        for entry in module.params["modules"]
        if entry["state"] == "loaded"
    ]
    wanted = modules_load.files(entries, module.params["persistent"])
    differences = []
    for path, text in wanted.items():
        before = modules_load.present(path)
        if before == text:
            continue
        differences.append(
            {
                "before_header": str(path),
                "before": before or "",
                "after_header": str(path),
                "after": text or "",
            }
        )
        if module.check_mode:
            continue
        modules_load.write(path, text)
    return differences


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    results, differences = [], []
    changed = False
    for entry in module.params["modules"]:
        problem = malformed(entry["name"], entry["params"])
        if problem:
            module.fail_json(msg=f"The module {entry['name']!r}: {problem}.")
    try:
        for entry in module.params["modules"]:
            result, difference = ensure(module, entry)
            results.append(result)
            if result["action"] != "none":
                changed = True
                differences.append(difference)
        if module.params["persistent"] is not None:
            files = ensure_boot(module)
            changed = changed or bool(files)
            differences += files
    except ModuleError as error:
        module.fail_json(msg=str(error), changed=changed, modules=results)
    module.exit_json(changed=changed, modules=results, diff=differences)


if __name__ == "__main__":
    main()
