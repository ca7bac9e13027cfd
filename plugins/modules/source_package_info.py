#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the distribution's package with the source of a kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_package_info
short_description: Find the distribution's package with the source of a kernel
description:
  - Looks for the package of a version under the names that Debian (C(linux-source-6.8)) and Ubuntu
    (C(linux-source-6.8.0)) give it, first among what is installed, then in apt's package index.
    Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options:
  version:
    description: Version of the kernel, such as V(6.8), V(6.8.12) or V(6.9-rc1).
    type: str
    required: true
  package:
    description: Name of the package, if it is another one.
    type: str
    default: ""
  required:
    description: Fail if there is no such package, and name those that there are.
    type: bool
    default: false
  note:
    description: Why the package index may be old, for that message.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Find the package with Linux 6.8
  oslab.kernel.source_package_info:
    version: "6.8"
    required: true
  register: source_package_found
"""

RETURN = r"""
package:
  description: Its name; the likeliest one if there is none.
  returned: success
  type: str
  sample: linux-source-6.8.0
installed:
  description: Whether it is installed.
  returned: success
  type: bool
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._source import package


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "package": {"type": "str", "default": ""},
            "required": {"type": "bool", "default": False},
            "note": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    given = module.params
    run = module_runner(module)

    try:
        names = package.names(given["version"], given["package"])
        found = package.find(run, names)
        if found and given["required"]:
            package.check_release(found, given["version"])
        if not found and given["required"]:
            module.fail_json(msg=package.missing(run, given["version"], names, given["note"]))
    except package.PackageError as error:
        module.fail_json(msg=str(error))
        return
    module.exit_json(
        changed=False,
        package=found.package if found else names[0],
        installed=bool(found and found.installed),
    )


if __name__ == "__main__":
    main()
