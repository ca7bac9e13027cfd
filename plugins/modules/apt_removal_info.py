#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: which packages can be removed without others that need them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_removal_info
short_description: Gather which packages can be removed without others
version_added: 0.2.0
description:
  - Simulates their removal. Where a package that is not named would be removed too, because it
    needs one of them, that one is refused, and the others are looked at one by one.
options:
  packages:
    description: >-
      Names of packages that are to be removed. They may need each other. Either these or
      O(keep_kernels) has to be given.
    type: list
    elements: str
  unneeded:
    description: >-
      Look at those of O(packages) alone that apt holds for unneeded, as C(apt-get autoremove) does.
    type: bool
    default: false
  stay:
    description: With O(unneeded), names of packages that stay, of whatever architecture.
    type: list
    elements: str
    default: []
  keep_kernels:
    description: >-
      Look at the packages of this collection's kernels beyond so many of the newest; at least one
      is kept. So are the kernel that runs and the fallback kernel that the role
      C(oslab.kernel.trial) has recorded.
    type: int
  keep_releases:
    description: With O(keep_kernels), releases of kernels that are kept, too.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Only simulates, in any case.
    support: full
  diff_mode:
    description: Shows nothing.
    support: none
  action:
    description: Has a corresponding action plugin, which checks the answer.
    support: full
requirements:
  - apt
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Find what can be removed
  oslab.kernel.apt_removal_info:
    packages: [linux-image-6.8.0-49-usac1, oslab-kernel-tools]
  register: found

- name: Find kernels that are not wanted any more
  oslab.kernel.apt_removal_info:
    keep_kernels: 2

- name: Remove the packages
  ansible.builtin.apt:
    name: "{{ found.removable }}"
    state: absent
"""

RETURN = r"""
removable:
  description: Those of the packages that can be removed together, in their order.
  returned: success
  type: list
  elements: str
refused:
  description: For each of the others, the packages that would be removed with it.
  returned: success
  type: dict
  sample: {linux-image-6.8.0-49-usac1: [my-metapackage]}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_removal, prune_kernels
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import Host


def argument_spec() -> dict[str, Any]:
    return {
        "packages": {"type": "list", "elements": "str"},
        "unneeded": {"type": "bool", "default": False},
        "stay": {"type": "list", "elements": "str", "default": []},
        "keep_kernels": {"type": "int"},
        "keep_releases": {"type": "list", "elements": "str", "default": []},
    }


def main() -> None:
    either = ("packages", "keep_kernels")
    module = AnsibleModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[either],
        required_one_of=[either],
        supports_check_mode=True,
    )
    params = module.params
    run = module_runner(module)
    packages: list[str] = params["packages"]
    warnings: list[str] = []
    try:
        if params["keep_kernels"] is not None:
            packages, warnings = prune_kernels.packages(
                Host(run=run), params["keep_kernels"], params["keep_releases"]
            )
        elif params["unneeded"]:
            packages = apt_removal.unneeded(run, packages, params["stay"])
        removable, refused = apt_removal.sort_out(run, packages)
    except apt_removal.AptError as error:
        module.fail_json(msg=f"{error}.")
    for warning in warnings:
        module.warn(warning)
    module.exit_json(changed=False, removable=removable, refused=refused)


if __name__ == "__main__":
    main()
