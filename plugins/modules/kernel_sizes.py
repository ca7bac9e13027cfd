#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: how much room a kernel takes on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_sizes
short_description: How much room a kernel takes on a host
description:
  - Measures image, initrd and modules of a kernel, and of the distribution's kernel that is
    installed beside it. Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  release:
    description: The kernel to measure; if empty, the one that runs.
    type: str
    default: ""
attributes:
  action:
    description: Has a corresponding action plugin, which makes texts safe to print.
    support: full
"""

EXAMPLES = r"""
- name: Measure the kernel
  oslab.kernel.kernel_sizes:
  register: kernel_sizes
"""

RETURN = r"""
release:
  description: The kernel that was measured.
  returned: success
  type: str
sizes:
  description:
    - Bytes of C(image) (C(/boot/vmlinuz-RELEASE)), C(initrd) (C(/boot/initrd.img-RELEASE)) and
      C(modules) (the files in C(/lib/modules/RELEASE)). V(null) for what is not there.
  returned: success
  type: dict
  sample: {"image": 13214720, "initrd": 6291456, "modules": 3145728}
stock_release:
  description:
    - The distribution's kernel that it is compared with, the one that the host ran before or else
      the newest that is installed. Empty if there is none.
  returned: success
  type: str
stock_sizes:
  description: The same of that kernel; nothing if there is none.
  returned: success
  type: dict
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._host.kernel_sizes import gather


def main() -> None:
    module = AnsibleModule(
        argument_spec={"release": {"type": "str", "default": ""}},
        supports_check_mode=True,
    )
    try:
        found = gather(Path("/"), module.params["release"])
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
