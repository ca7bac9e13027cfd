#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the text of a kernel's configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_config_info
short_description: Read a kernel's configuration
version_added: 0.2.0
description:
  - Reads a file such as C(/boot/config-6.1.0-44-amd64), of at most 4 MiB.
  - M(ansible.builtin.slurp) reads such a file, too; but what a host adds to its answer, such as
    facts, would then count for whoever delegated the task.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
options:
  path:
    description: The file.
    type: path
    required: true
attributes:
  action:
    description: Has a corresponding action plugin, which looks at the answer.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read the configuration of the running kernel
  oslab.kernel.boot_config_info:
    path: "{{ kernel_target_info.boot_config }}"
  register: running_config
"""

RETURN = r"""
content:
  description: The text, in base64.
  returned: success
  type: str
"""

import base64
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base


def main() -> None:
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True
    )
    path = Path(module.params["path"])
    try:
        found = bounded_read.content(path, base.MAX_SIZE)
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.strerror}")
    module.exit_json(changed=False, content=base64.b64encode(found).decode("ascii"))


if __name__ == "__main__":
    main()
