#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what files a stored build puts onto a host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: build_files_info
short_description: What files a stored build puts onto a host
description:
  - Reads, on the builder, the list that M(oslab.kernel.kernel_build) has left beside the packages
    of a build. Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  store:
    description: Directory of finished builds.
    type: path
    required: true
  build_id:
    description: The build, by its whole id or by at least its first twelve digits.
    type: str
    required: true
  keep:
    description:
      - Keep the list on the control node until the run ends, and return where instead of the list
        itself. For however many hosts it is asked, the builder is asked once, and the variables of
        these hosts do not hold a thousand names each.
    type: bool
    default: false
attributes:
  action:
    description: Has a corresponding action plugin, which does what O(keep) asks for.
    support: full
seealso:
  - module: oslab.kernel.kernel_files
"""

EXAMPLES = r"""
- name: Read what the build installs
  oslab.kernel.build_files_info:
    store: /var/lib/oslab-kernel/store
    build_id: cc30304b36a4
  delegate_to: builder
  register: build_files
"""

RETURN = r"""
files:
  description:
    - The list, with C(release), C(version) (of the packages), C(build_id), C(gnu_build_id) (of the
      kernel's image) and C(packages) (name to a dictionary of path and sha256).
    - V(null) if the store has no such build, or an old one without a list.
  returned: success, without O(keep)
  type: dict
path:
  description: Where the list is kept on the control node; V(null) where RV(files) would be.
  returned: success, with O(keep)
  type: str
release:
  description: The list's C(release); V(null) where RV(files) would be.
  returned: success, with O(keep)
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import (
    ListError,
    stored_list,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "store": {"type": "path", "required": True},
            "build_id": {"type": "str", "required": True},
            "keep": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        files = stored_list(Path(module.params["store"]), module.params["build_id"])
    except (ListError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, files=files)


if __name__ == "__main__":
    main()
