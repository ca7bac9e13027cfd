#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: is a host's kernel exactly the one of a build?"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_files
short_description: Compare a host's kernel with the files of a build
description:
  - Compares the files on the disk, by their sha256, with the list that the build has left, and the
    GNU build id of the running image, in C(/sys/kernel/notes), with that of the image that was
    built. Changes nothing.
  - Compared are the files of the image and module packages of the build's release, those of
    programs and C(linux-libc-dev) if they are installed in the build's version, and whether
    C(/lib/modules/RELEASE) holds files that are not the build's.
  - Not compared is what the host makes by itself, the initrd and depmod's indexes
    (C(modules.dep) and the like), nor the headers.
  - Without a list, C(dpkg --verify) stands in, which believes sums on the same disk.
  - Measures the kernel that runs, too, and the distribution's kernel that is installed beside it.
  - The host's own Python and kernel do the reading. Who controls them controls the answer.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  build_id:
    description:
      - The build, by its whole id or by at least its first twelve digits. If empty, the one that
        the running kernel's own manifest names.
    type: str
    default: ""
  files:
    description: The list of that build, as M(oslab.kernel.build_files_info) returns it.
    type: dict
  files_path:
    description:
      - Instead of O(files), where M(oslab.kernel.build_files_info) has kept the list on the control
        node.
    type: path
  kept_path:
    description:
      - Without O(files), a file on the host with the list, which is read before the repository is
        asked. It counts only if it has O(files_sha256).
    type: path
  repository_source:
    description:
      - Without O(files), the list is fetched from the repository that this file of apt's names. It
        is not signed, as the packages' index is; see O(files_sha256). If empty, nothing is fetched.
    type: path
    default: /etc/apt/sources.list.d/oslab-kernel.sources
  files_sha256:
    description:
      - SHA-256 that the list from the repository has to have, which the builder says
        (C(publish_result.files.sha256)). Without it, whoever stands between the repository and this
        host can give out another list, and RV(confirmed) is V(false).
    type: str
    default: ""
  timeout:
    description:
      - Seconds that the repository has to answer. All of it, with redirections, headers and the
        list, may take six times as long, and the list have at most 16 MiB.
    type: int
    default: 10
  ignore:
    description:
      - Patterns of paths, such as V(/lib/modules/*/extra/mine.ko), of files in C(/lib/modules) that
        are the user's own and may be there. Files of the build cannot be left out.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Has a corresponding action plugin, which reads O(files_path).
    support: full
seealso:
  - module: oslab.kernel.build_files_info
"""

EXAMPLES = r"""
- name: Compare the host with the build that it says it runs
  oslab.kernel.kernel_files:
  register: kernel_files

- name: Check that the running image is of this build
  oslab.kernel.kernel_files:
    build_id: cc30304b36a4
    files: "{{ build_files.files }}"
  register: kernel_files
  failed_when: not kernel_files.matches
"""

RETURN = r"""
matches:
  description:
    - V(true) if every file and the running image are those of the build and no others are there.
      V(null) if nothing is wrong but not everything could be compared.
  returned: success
  type: bool
method:
  description: Where the list came from, V(list) (O(files)) or V(repository); V(dpkg) without one.
  returned: success
  type: str
confirmed:
  description: >-
    Whether the list came from the builder, or is the one of which the builder said the checksum.
  returned: success
  type: bool
reason:
  description: Why there was no list; empty if there was one.
  returned: success
  type: str
build_id:
  description: The build that was compared with, by its whole id if there was a list.
  returned: success
  type: str
release:
  description: Release of that build.
  returned: success
  type: str
compared:
  description: How many files were compared by their sha256.
  returned: success
  type: int
changed_files:
  description: Files that are not as built, with C(path), C(expected) and C(found).
  returned: success
  type: list
  elements: dict
  sample:
    - path: /lib/modules/6.12.117-49-usac1/kernel/drivers/block/loop.ko
      expected: 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
      found: fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13
missing_files:
  description: Files of the build that are not there.
  returned: success
  type: list
  elements: str
additional_files:
  description: Files below C(/lib/modules/RELEASE) that are not the build's.
  returned: success
  type: list
  elements: str
updates:
  description: Files below C(updates) there, where dkms puts what it builds. No fault.
  returned: success
  type: list
  elements: str
packages:
  description: >-
    The packages of the build, by name, with C(installed) (the version that the host has, or
    V(null)) and C(compared).
  returned: success
  type: dict
gnu_build_id:
  description: GNU build ids of the image, C(expected) and C(running); empty where unknown.
  returned: success
  type: dict
sizes:
  description:
    - Room that the running kernel takes, C(release) with C(sizes), and the distribution's kernel
      that it is compared with, C(stock_release) with C(stock_sizes), the one that the host ran
      before or else the newest that is installed; empty if there is none.
    - C(sizes) and C(stock_sizes) are bytes of C(image) (C(/boot/vmlinuz-RELEASE)), C(initrd)
      (C(/boot/initrd.img-RELEASE)) and C(modules) (the files in C(/lib/modules/RELEASE)). V(null)
      for what is not there.
  returned: success
  type: dict
  sample:
    release: 6.12.117-49-usac1
    sizes: {"image": 13214720, "initrd": 6291456, "modules": 3145728}
    stock_release: ""
    stock_sizes: {}
checks:
  description: The same as rows for M(oslab.kernel.show_checks).
  returned: success
  type: list
  elements: dict
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import ListError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._verify import installed


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "build_id": {"type": "str", "default": ""},
            "files": {"type": "dict"},
            # Read by the action plugin, on the control node.
            "files_path": {"type": "path"},
            "kept_path": {"type": "path"},
            "repository_source": {
                "type": "path",
                "default": "/etc/apt/sources.list.d/oslab-kernel.sources",
            },
            "files_sha256": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 10},
            "ignore": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    # Out of the parameters, because these are sent back with the result.
    files = module.params.pop("files")
    source = module.params["repository_source"]
    kept, checksum = module.params["kept_path"], module.params["files_sha256"]

    try:
        if files is None and kept:
            files = installed.kept_list(Path(kept), checksum)
        found = installed.gather(
            module_runner(module, required=False),
            module.params["build_id"],
            files,
            Path(source) if source else None,
            checksum,
            module.params["timeout"],
            module.params["ignore"],
        )
    except (ListError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
