#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what a builder has of that which a lock names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: build_inputs_info
short_description: Read what a builder has of the inputs of a build
version_added: "0.2.0"
description:
  - Returns the versions of programs and the checksum of a tarball, as M(oslab.kernel.kernel_build)
    counts them, for a comparison with a lock. What is not there yet is no error.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
options:
  programs:
    description: Names of programs.
    type: list
    elements: str
    default: []
  file:
    description: A tarball.
    type: path
    default: ""
  base:
    description: A kernel's configuration, whose text is returned.
    type: path
    default: ""
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read the version of the compiler
  oslab.kernel.build_inputs_info:
    programs: [gcc, ld]
  register: build_inputs
"""

RETURN = r"""
architecture:
  description: Debian's name of the architecture; empty if it is not known.
  returned: success
  type: str
programs:
  description: Of each program the first line of what it says of itself; empty if it is not there.
  returned: success
  type: dict
sha256:
  description: Checksum of O(file); empty if it is not there.
  returned: success
  type: str
base:
  description: Text of O(base); empty if it is not there.
  returned: success
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import plan
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "programs": {"type": "list", "elements": "str", "default": []},
            "file": {"type": "path", "default": ""},
            "base": {"type": "path", "default": ""},
        },
        supports_check_mode=True,
    )
    params = module.params
    run = module_runner(module, required=False, LC_ALL="C")
    file, config = Path(params["file"]), Path(params["base"])
    try:
        module.exit_json(
            changed=False,
            architecture=run(["dpkg", "--print-architecture"]).out.strip(),
            programs={name: plan.stated_version(name, run) for name in params["programs"]},
            sha256=bounded_read.sha256(file) if params["file"] and file.is_file() else "",
            base=bounded_read.text(config, base.MAX_SIZE)
            if params["base"] and config.is_file()
            else "",
        )
    except OSError as error:
        module.fail_json(msg=f"a file on the builder cannot be read: {error}")


if __name__ == "__main__":
    main()
