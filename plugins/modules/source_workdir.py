#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_workdir
short_description: Let nobody else write to the directory that kernels are built in
description:
  - Fails if the directory, or one that it is in, belongs to another user than root or the one
    who builds, or if others can write to it.
  - Takes the right to write from the group and from others, and the setuid and setgid bits from
    files, everywhere below it. No link is followed.
  - A directory that is not there yet is not made.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  path:
    description: The directory.
    type: path
    required: true
  tree:
    description:
      - Directory that will be the top of a source tree. If it is not below O(path), the directory
        that it is in has to be safe in the same way.
    type: path
attributes:
  check_mode:
    description: Says whether it would change modes.
    support: full
  diff_mode:
    description: Modes are listed in RV(loose).
    support: none
"""

EXAMPLES = r"""
- name: Tighten the working directory
  oslab.kernel.source_workdir:
    path: /var/lib/oslab-kernel
"""

RETURN = r"""
loose:
  description: How many files and directories others could write to.
  returned: success
  type: int
first:
  description: Some of them.
  returned: success
  type: list
  elements: str
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils import source_workdir


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "tree": {"type": "path"},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    tree = Path(module.params["tree"]) if module.params["tree"] else None
    uid = os.geteuid()
    try:
        if not path.is_absolute():
            raise source_workdir.WorkdirError(
                f"source_workdir '{path}' is not an absolute path: give one that begins with /"
            )
        source_workdir.check(path, "source_workdir", uid)
        if tree and path.resolve() not in tree.resolve().parents:
            source_workdir.check(tree.parent, "the directory of source_tree", uid)
        loose = source_workdir.tighten(path, uid, change=not module.check_mode)
    except (source_workdir.WorkdirError, OSError) as error:
        module.fail_json(msg=str(error))
    if loose.exposed:
        module.warn(
            f"others could write to {loose.told()}, which is ended now. To be sure that nobody "
            f"did, remove {path}/trees and {path}/store and build again"
        )
    module.exit_json(changed=loose.count > 0, loose=loose.count, first=loose.first)


if __name__ == "__main__":
    main()
