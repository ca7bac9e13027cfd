#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: install or purge packages in one transaction that touches no others."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_transaction
short_description: Install or purge packages without the removal of others
version_added: 0.2.0
description:
  - Simulates the transaction first, and fails with the names where apt would remove a package that
    it was not asked to purge, or with apt's reason where the transaction is not possible.
  - Where an installation fails, the packages that it brought to the host are purged again, so that
    dpkg has nothing unfinished. One that the host had in another version stays, and the message
    names the command that finishes it.
  - The message of such a failure begins with the hook that failed and with what it printed.
  - A module that DKMS forgets, because the last kernel that it was built for is purged, is
    registered again.
options:
  packages:
    description: Packages to install, as V(NAME=VERSION), or to purge, as V(NAME).
    type: list
    elements: str
    required: true
  files:
    description: >-
      Package files to install, path by name of the package, instead of what apt's sources have.
      They have to be of the version that O(packages) says.
    type: dict
    default: {}
  optional:
    description: >-
      Names of those of O(packages) that are left out where only the others can be installed without
      the removal of anything.
    type: list
    elements: str
    default: []
  state:
    description: Whether the packages are to be there, in these versions.
    type: str
    choices: [present, purged]
    default: present
  dkms_failures:
    description: >-
      With V(ignore), a module that DKMS cannot build for a kernel does not make the installation
      of that kernel's package fail.
    type: str
    choices: [fail, ignore]
    default: fail
  lock_timeout:
    description: Seconds to wait while another program holds the lock of apt or dpkg.
    type: int
    default: 60
attributes:
  check_mode:
    description: Simulates only.
    support: full
  diff_mode:
    description: Shows nothing.
    support: none
  action:
    description: Has a corresponding action plugin, which makes the answer safe to print.
    support: full
requirements:
  - apt
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Simulate the installation
  oslab.kernel.apt_transaction:
    packages: [linux-image-6.12=6.12-1, linux-libc-dev=6.12-1]
    optional: [linux-libc-dev]
  check_mode: true
  register: kernel_simulation

- name: Purge a kernel, and nothing else
  oslab.kernel.apt_transaction:
    packages: [linux-image-6.11, linux-headers-6.11]
    state: purged
"""

RETURN = r"""
packages:
  description: What was, or would be, installed or purged, of O(packages).
  returned: success
  type: list
  elements: str
left_out:
  description: What was left out of O(packages), with the reason.
  returned: success
  type: dict
  sample: {"linux-libc-dev": "apt would remove libc6-dev:i386"}
brought:
  description: >-
    Packages that were, or would be, new on the host because those of O(packages) need them. Empty
    for V(purged).
  returned: success
  type: list
  elements: str
refused:
  description: Whether the simulation shows that the transaction is not possible; nothing changed.
  returned: failure of the simulation or of a removal
  type: bool
undone:
  description: Packages that were installed and purged again.
  returned: failure of an installation
  type: list
  elements: str
unfinished:
  description: Packages that dpkg has left half-configured, and had not before.
  returned: failure of an installation
  type: list
  elements: str
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_transaction


def argument_spec() -> dict[str, Any]:
    return {
        "packages": {"type": "list", "elements": "str", "required": True},
        "files": {"type": "dict", "default": {}},
        "optional": {"type": "list", "elements": "str", "default": []},
        "state": {"choices": ["present", "purged"], "default": "present"},
        "dkms_failures": {"choices": ["fail", "ignore"], "default": "fail"},
        "lock_timeout": {"type": "int", "default": 60},
    }


@contextlib.contextmanager
def tolerant_dkms(wanted: bool, below: str) -> Iterator[str]:
    """A directory with a `dkms` for the hooks of this transaction alone; empty if none is wanted.

    dkms has a switch of its own, a file in /etc. Left there by a run that is cut off, it would keep
    DKMS from building modules for any later kernel.
    """
    real = shutil.which("dkms", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not wanted or real is None:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="oslab-dkms-", dir=below) as directory:
        program = Path(directory, "dkms")
        program.write_text(apt_transaction.TOLERANT_DKMS.format(real=real))
        program.chmod(0o700)
        yield directory


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    run = module_runner(module)

    transaction = apt_transaction.Transaction(run, params["lock_timeout"])
    versions = dict(package.partition("=")[::2] for package in params["packages"])
    try:
        if params["state"] == "purged":
            names = apt_transaction.plan_purge(run, list(versions))
            if names and not module.check_mode:
                transaction.purge(names)
            module.exit_json(changed=bool(names), packages=names, left_out={}, brought=[])
        targets = {
            package.partition("=")[0]: params["files"].get(package.partition("=")[0], package)
            for package in params["packages"]
        }
        plan = apt_transaction.plan(run, targets, params["optional"])
        if plan.changed and not module.check_mode:
            with tolerant_dkms(params["dkms_failures"] == "ignore", module.tmpdir) as programs:
                transaction.install(plan.targets, versions, programs)
    except apt_transaction.InstallError as error:
        module.fail_json(msg=str(error), undone=error.undone, unfinished=error.unfinished)
    except apt_transaction.TransactionError as error:
        refused = isinstance(error, apt_transaction.RefusedError)
        module.fail_json(msg=f"{error}.", refused=refused, undone=[], unfinished=[])
    module.exit_json(
        changed=plan.changed,
        packages=[x for x in params["packages"] if x.partition("=")[0] in plan.targets],
        left_out=dict(plan.left_out),
        brought=list(plan.brought),
    )


if __name__ == "__main__":
    main()
