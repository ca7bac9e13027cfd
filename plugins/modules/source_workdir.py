#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the directory that kernels are built in, protected against other users."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_workdir
short_description: Protect the directory that kernels are built in against other users
description:
  - Fails if the directory, or one that it is in, belongs to another user than root or the one
    who builds, or if others can write to it.
  - Takes the right to write from the group and from others, and the setuid and setgid bits from
    files, everywhere below it. No link is followed.
  - Fails, too, if anything below it belongs to such a user.
  - A directory that is not there yet is made.
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options:
  path:
    description: The directory.
    type: path
    required: true
  name:
    description: Name of the variable that holds O(path), for messages.
    type: str
    default: source_workdir
  also:
    description: More such directories, each by the name of the variable that holds it.
    type: dict
    default: {}
  tree:
    description:
      - Directory that will be the top of a source tree. If it is not below O(path), the directory
        that it is in has to be safe in the same way, and so has a tree that is there.
    type: path
  user:
    description:
      - The user who builds, C(build_user). Then everything has to belong to that user, and nothing
        to root, and the module fails if somebody else runs it.
      - Empty for whoever runs the module.
    type: str
    default: ""
  reserve:
    description:
      - As root, check the directories for O(user) and make those that are missing, for that user.
        What is there is neither given to the user nor changed.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says whether it would make the directory or change modes.
    support: full
  diff_mode:
    description: Modes are listed in RV(loose).
    support: none
"""

EXAMPLES = r"""
- name: Tighten the working directory
  oslab.kernel.source_workdir:
    path: /var/lib/oslab-kernel

- name: Make the directory of the user who builds
  oslab.kernel.source_workdir:
    path: /var/lib/oslab-kernel/build
    user: kbuild
    reserve: true
"""

RETURN = r"""
loose:
  description: How many files and directories others could write to.
  returned: success, without O(reserve)
  type: int
first:
  description: Some of them.
  returned: success, without O(reserve)
  type: list
  elements: str
ready:
  description: Whether O(user) and the directory are there, so that tasks can become that user.
  returned: success, with O(reserve)
  type: bool
"""

import os
from pathlib import Path
from typing import Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._source import build_user, workdir


def reserve(module: AnsibleModule, path: Path, tree: Optional[Path]) -> None:
    """Raises WorkdirError or OSError."""
    user = build_user.find(module.params["user"])
    change = not module.check_mode
    if change and not user.exists:
        module.fail_json(
            msg=f"there is no user {user.name} (build_user): run the role dependencies, which "
            "creates it"
        )
    build_user.reserve(user, path, name=module.params["name"], tree=tree, change=change)
    # An empty directory is no change of its own: what comes into it is.
    module.exit_json(changed=False, ready=user.exists and path.is_dir())


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "name": {"type": "str", "default": "source_workdir"},
            "also": {"type": "dict", "default": {}},
            "tree": {"type": "path"},
            "user": {"type": "str", "default": ""},
            "reserve": {"type": "bool", "default": False},
        },
        required_if=[("reserve", True, ("user",))],
        supports_check_mode=True,
    )
    tree = Path(module.params["tree"]) if module.params["tree"] else None
    path, name = Path(module.params["path"]), module.params["name"]
    also = {key: Path(value) for key, value in module.params["also"].items()}
    uid, user = os.geteuid(), module.params["user"]
    try:
        if module.params["reserve"]:
            reserve(module, path, tree)
        # A preview may run before the user, or the directory, is there.
        elif user and not module.check_mode:
            build_user.check_acting(build_user.find(user), uid)
        loose = workdir.prepare(
            path,
            uid,
            name=name,
            also=also,
            tree=tree,
            change=not module.check_mode,
            root_too=not user or uid == 0,
        )
    except (workdir.WorkdirError, OSError) as error:
        module.fail_json(msg=str(error))
    if loose.exposed:
        advice = f"see that all in it is yours: {path}"
        if name == "source_workdir":
            advice = f"remove {path}/trees and {path}/store and build again"
        module.warn(
            f"others could write to {loose.summary()}, which is ended now. To be sure that nobody "
            f"did, {advice}"
        )
    # An empty directory is no change of its own: what comes into it is.
    module.exit_json(changed=bool(loose.count), loose=loose.count, first=loose.first)


if __name__ == "__main__":
    main()
