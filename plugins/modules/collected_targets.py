#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what targets have answered in earlier builds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: collected_targets
short_description: Read what targets have answered in earlier builds
version_added: 0.3.0
description:
  - Reads C(targets.json) of a tree. Of targets that it lacks, what they answered for another tree
    counts, if they ran a stock kernel then. A target that runs a kernel of this collection shows
    only what that kernel has.
  - The configurations of such targets (C(NAME.config)) are copied from there.
options:
  directory:
    description: What is stored for this tree.
    type: path
    required: true
  others:
    description: Directory of other trees, whose answers are at C(*/inputs). Empty for none.
    type: str
    default: ""
  targets:
    description: Names of the targets that the kernel is for.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Nothing is copied.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read what the targets have answered
  oslab.kernel.collected_targets:
    directory: /var/lib/oslab-kernel/trees/kernel_org-6.8/inputs
    others: /var/lib/oslab-kernel/trees
    targets: [web1, web2]
  register: known
"""

RETURN = r"""
hosts:
  description: The facts of each target, by its name, also of some that are not in O(targets).
  returned: success
  type: dict
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import answers


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "others": {"type": "str", "default": ""},
            "targets": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    directory, others = Path(params["directory"]), Path(params["others"] or os.devnull)
    try:
        found = answers.known(directory, others, params["targets"])
        if not module.check_mode:
            for name, path in found.configurations.items():
                directory.mkdir(mode=0o755, parents=True, exist_ok=True)
                atomic_file.write(directory / name, path.read_bytes(), 0o644)
    except answers.AnswersError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"what is stored of the targets cannot be copied: {error}")
    module.exit_json(changed=bool(found.configurations), hosts=found.hosts)


if __name__ == "__main__":
    main()
