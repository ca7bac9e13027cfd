#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the unpacked source of a kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_tree
short_description: Unpack a kernel's source
description:
  - Unpacks a tarball into a directory, which is there whole or not at all.
  - A tarball with members or links that lead out of the tree, with devices, or larger than
    O(max_size) is refused, and so is one of another checksum. A tree that is there stays then.
  - Files belong to whoever runs the module, who alone may write; everybody may read them. Modes
    and owners that the tarball names do not count, except that programs stay executable.
  - A tree that was unpacked from the same tarball or commit is left alone, whatever was edited in
    it; one from another is replaced.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  tarball:
    description: The tarball, with one directory at its top.
    type: path
  package:
    description:
      - Debian package that the tarball is in, as C(/usr/src/PACKAGE.tar.*), instead of O(tarball).
        It has to have the checksum that the package lists for it.
    type: str
  commit:
    description:
      - Commit (all 40 digits) of O(repository) whose files become the tree, instead of O(tarball).
        There is no C(.git) in the tree, and no attribute of git changes a file.
    type: str
  repository:
    description:
      - The bare git repository that O(commit) is in, as M(oslab.kernel.source_git) makes it.
    type: path
  timeout:
    description: Seconds that git may take to give the files of O(commit).
    type: int
    default: 3600
  sha256:
    description:
      - Checksum that the tarball, or git's archive of the commit, must have; any if empty. It is
        computed of the very bytes that are unpacked, and recorded.
    type: str
    default: ""
  tree:
    description: Directory that will be the top of the source tree.
    type: path
    required: true
  version:
    description: Version that the tree must be of; two numbers match any stable release of them.
    type: str
    required: true
  provider:
    description: Where the tarball came from; recorded in the manifest.
    type: str
    default: file
  signed_by:
    description: Fingerprint of the key that signed the tarball, to be recorded; empty if none.
    type: str
    default: ""
  max_size:
    description: Most bytes that the unpacked tarball may have.
    type: int
    default: 4294967296
attributes:
  check_mode:
    description: Says whether it would unpack.
    support: full
  diff_mode:
    description: A tarball has no useful diff.
    support: none
  action:
    description: Has a corresponding action plugin, which makes messages safe to print.
    support: full
requirements: [tar, dpkg (for O(package)), git (for O(commit))]
"""

EXAMPLES = r"""
- name: Unpack Linux 6.8
  oslab.kernel.kernel_tree:
    tarball: /var/lib/oslab-kernel/downloads/linux-6.8.tar.xz
    tree: /var/lib/oslab-kernel/trees/linux-6.8/linux
    version: "6.8"
"""

RETURN = r"""
source:
  description:
    - What the tree was unpacked from, with C(version), C(sha256), C(provider), C(tarball),
      C(commit) (if it is one), C(signed_by) and C(source_date_epoch) (seconds since 1970).
  returned: success
  type: dict
"""

import os
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import feed, module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._source import git, workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source import tree as source_tree


class Found(NamedTuple):
    path: Path
    md5: str = ""


def find(module: AnsibleModule) -> Optional[Found]:
    """The tarball; None if its package is not installed."""
    if module.params["tarball"]:
        return Found(Path(module.params["tarball"]))
    package = module.params["package"]
    done = module_runner(module)(["dpkg-query", "--control-show", package, "md5sums"])
    return Found(*source_tree.of_package(done.out, package)) if done.status == 0 else None


def unpack_commit(module: AnsibleModule) -> None:
    params = module.params
    tree, commit = Path(params["tree"]), params["commit"]
    wanted = {"sha256": params["sha256"], "version": params["version"]}
    if module.check_mode:
        state = tree_records.source(tree) or {}
        same = source_tree.same_commit(state, commit, **wanted)
        changed = not same or state.get("signed_by") != params["signed_by"]
        module.exit_json(changed=changed, source=state)
    program = module.get_bin_path("git", required=True)
    with git.private(program, None, params["timeout"]) as own:

        def archive() -> Any:
            return own.archive(Path(params["repository"]), commit, params["timeout"])

        result = source_tree.unpack_commit(
            commit,
            archive,
            tree,
            feed,
            **wanted,
            provider=params["provider"],
            signed_by=params["signed_by"],
            max_size=params["max_size"],
        )
    module.exit_json(changed=result.changed, source=result.state)


def unpack(module: AnsibleModule) -> None:
    params = module.params
    tree = Path(params["tree"])
    if params["repository"]:
        unpack_commit(module)
    found = find(module)
    if found is None or not found.path.is_file():
        name = found.path if found else f"package {params['package']}"
        if module.check_mode:
            module.exit_json(changed=True, source={}, msg=f"{name} would be unpacked")
        module.fail_json(msg=f"the source {name} is not there; check source_file")
        return
    sums = {"sha256": params["sha256"], "md5": found.md5}
    if module.check_mode:
        state = tree_records.source(tree) or {}
        sha256 = source_tree.check(found.path, **sums)
        module.exit_json(changed=state.get("sha256") != sha256, source=state)
    result = source_tree.unpack(
        found.path,
        tree,
        feed,
        **sums,
        version=params["version"],
        provider=params["provider"],
        signed_by=params["signed_by"],
        max_size=params["max_size"],
    )
    module.exit_json(changed=result.changed, source=result.state)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "tarball": {"type": "path"},
            "package": {"type": "str"},
            "commit": {"type": "str"},
            "repository": {"type": "path"},
            "timeout": {"type": "int", "default": 3600},
            "sha256": {"type": "str", "default": ""},
            "tree": {"type": "path", "required": True},
            "version": {"type": "str", "required": True},
            "provider": {"type": "str", "default": "file"},
            "signed_by": {"type": "str", "default": ""},
            "max_size": {"type": "int", "default": source_tree.MAX_SIZE},
        },
        required_one_of=[("tarball", "package", "repository")],
        mutually_exclusive=[("tarball", "package", "repository")],
        required_by={"repository": ("commit",)},
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    try:
        unpack(module)
    except (source_tree.TreeError, git.GitError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
