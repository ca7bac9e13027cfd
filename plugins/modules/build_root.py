#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a root file system that kernels are built in."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: build_root
short_description: Make a root file system of Debian packages to build kernels in
description:
  - Makes a root file system by C(mmdebstrap), under the hash of the packages that it consists of.
    M(oslab.kernel.kconfig) and M(oslab.kernel.kernel_build) run their programs in it, by
    C(bubblewrap).
  - A root is made once for the same options. Later calls return it without asking the archive, so
    that a build does not change because the archive did.
  - Two calls at the same time make one root. What a killed call has left is removed by the next
    one.
  - Roots that no call has returned for O(keep_days) are removed.
version_added: "0.3.0"
author: oslab.kernel contributors (@oslab)
options:
  directory:
    description: Directory of the roots.
    type: path
    required: true
  suite:
    description: Release of the distribution, by its code name.
    type: str
    required: true
  packages:
    description:
      - Packages to install besides the essential ones. What they recommend is not installed.
    type: list
    elements: str
    required: true
  mirrors:
    description:
      - Addresses of archives, each with suite and components behind it if these are not O(suite)
        and V(main). Empty means the distribution's own archive with its updates.
      - An address with a user's name or password is refused, as the root is recorded with it.
      - An address in the layout of snapshot.debian.org, with a time in it, may have an index that
        has expired. Its signature is verified as any other's.
    type: list
    elements: str
    default: []
  keyring:
    description: File with the public keys of the archives; empty for the distribution's own.
    type: path
    default: ""
  refresh:
    description: Whether to make a root of what the archive has now.
    type: bool
    default: false
  keep_days:
    description: Days after which a root that is not used is removed.
    type: int
    default: 30
  user:
    description: >-
      The user who enters the root, for whom namespaces are checked. Empty for the user who runs
      the module.
    type: str
    default: ""
  expected:
    description:
      - What a lock says of the root, with C(id) and C(packages). The root with this ID is used, or
        made. If the archive gives other packages, the module fails and names them.
      - Empty for any packages.
    type: dict
    default: {}
attributes:
  check_mode:
    description:
      - Says whether a root would be made, or removed. With O(refresh) it would be made; whether it
        would be another one is not known before.
    support: full
  diff_mode:
    description: A root has no useful diff.
    support: none
requirements: [mmdebstrap, bubblewrap]
"""

EXAMPLES = r"""
- name: Make the build root
  oslab.kernel.build_root:
    directory: /var/lib/oslab-kernel/roots
    suite: bookworm
    packages: [build-essential, bc, bison, flex, libelf-dev, libssl-dev]
  register: root

- name: Make a root of the archive as it was
  oslab.kernel.build_root:
    directory: /var/lib/oslab-kernel/roots
    suite: bookworm
    packages: [build-essential]
    mirrors: [https://snapshot.debian.org/archive/debian/20250520T000000Z]
"""

RETURN = r"""
directory:
  description: The root's directory; with check mode, of one that is not there yet, a name for it.
  returned: success
  type: str
root:
  description:
    - The root, with C(id), C(directory), C(suite), C(architecture), C(mirrors),
      C(keyring_sha256) and C(packages) (a list of C(name), C(version), C(architecture) and
      C(sha256)).
  returned: when it is there
  type: dict
removed:
  description: IDs of the roots that are removed.
  returned: success
  type: list
  elements: str
"""

import os
import shutil
import time
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._source import build_user, workdir


def _architecture(module: AnsibleModule) -> str:
    done = module_runner(module)(["dpkg", "--print-architecture"])
    if done.status != 0:
        module.fail_json(msg=f"dpkg --print-architecture failed: {done.both.strip()[-200:]}")
    return done.out.strip()


def run(module: AnsibleModule) -> None:
    """The module's work. Raises RootError, WorkdirError or OSError."""
    params, uid = module.params, os.geteuid()
    enters = build_user.find(params["user"]).uid if params["user"] else uid
    request = build_root.Request(
        suite=params["suite"],
        architecture=_architecture(module),
        packages=params["packages"],
        mirrors=params["mirrors"],
        keyring=params["keyring"],
    )
    directory = Path(os.path.abspath(params["directory"]))  # noqa: PTH100
    workdir.check(directory, "build_root_dir", uid)
    roots = build_root.Roots(directory, uid)
    programs = module_runner(module, required=False)
    build_root.check_keyring(request)
    lacking = build_root.missing(request, shutil.which)
    if lacking and not module.check_mode:
        module.fail_json(
            msg=f"the builder lacks {', '.join(lacking)}, which a build root needs: run the role "
            "dependencies"
        )
    if "bubblewrap" not in lacking:
        build_root.check_namespaces(programs, enters)
    expected = params["expected"]

    def there() -> Optional[dict[str, Any]]:
        if expected:
            return roots.read(str(expected.get("id")))
        return None if params["refresh"] else roots.find(request)

    found = there()
    unused = roots.unused(params["keep_days"], time.time(), found["id"] if found else "")
    if module.check_mode and found is None:
        message = f"would make a build root of {request.suite} in {directory}"
        future = str(directory / "not-made-yet")
        module.exit_json(changed=True, msg=message, directory=future, removed=unused)
    elif module.check_mode and found:
        place = found["directory"]
        module.exit_json(changed=bool(unused), directory=place, root=found, removed=unused)
    with roots.locked():
        found, is_new = there(), False
        if found is None:  # another call may have made it meanwhile
            found, is_new = roots.make(request, programs, expected)
        roots.use(found["id"])
        unused = roots.unused(params["keep_days"], time.time(), found["id"])
        roots.remove(unused)
        module.exit_json(
            changed=is_new or bool(unused), directory=found["directory"], root=found, removed=unused
        )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "suite": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "required": True},
            "mirrors": {"type": "list", "elements": "str", "default": []},
            "keyring": {"type": "path", "default": ""},
            "refresh": {"type": "bool", "default": False},
            "keep_days": {"type": "int", "default": 30},
            "user": {"type": "str", "default": ""},
            "expected": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    try:
        run(module)
    except (build_root.RootError, workdir.WorkdirError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
