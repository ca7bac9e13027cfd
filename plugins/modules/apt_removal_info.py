#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: which packages can be removed without others that need them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_removal_info
short_description: Gather which packages can be removed without others
version_added: 0.1.0
description:
  - Simulates their removal. Where a package that is not named would be removed too, because it
    needs one of them, that one is refused, and the others are looked at one by one.
options:
  packages:
    description: Names of packages that are to be removed. They may need each other.
    type: list
    elements: str
    required: true
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

- name: Remove it
  ansible.builtin.apt:
    name: "{{ found.removable }}"
    state: absent
"""

RETURN = r"""
removable:
  description: Those of O(packages) that can be removed together, in their order.
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
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_removal


def argument_spec() -> dict[str, Any]:
    return {"packages": {"type": "list", "elements": "str", "required": True}}


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        removable, refused = apt_removal.sort_out(module_runner(module), module.params["packages"])
    except apt_removal.AptError as error:
        module.fail_json(msg=f"{error}.")
    module.exit_json(changed=False, removable=removable, refused=refused)


if __name__ == "__main__":
    main()
