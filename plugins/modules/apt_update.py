#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: fetch the index of packages, and fail at once with the reason."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_update
short_description: Fetch apt's index of packages
version_added: 0.2.0
description:
  - Fails at once where a source cannot be fetched, with its address and apt's reason.
    M(ansible.builtin.apt) tries it five times and gives no reason.
  - Fails where apt has one of O(packages) and its preferences forbid to install it (a priority
    below 0), with the file that says so.
  - Reports no change, as an index is none of anything that is managed.
options:
  packages:
    description: Packages that are to be installed, as V(NAME) or V(NAME=VERSION).
    type: list
    elements: str
    default: []
  unless_installed:
    description: Do nothing where all of O(packages) are installed, in whatever version.
    type: bool
    default: false
  limited:
    description: >-
      Address of a repository whose other packages must not be installed, by O(limited_by). Fails
      where apt gives it another priority than -1.
    type: str
    default: ""
  limited_by:
    description: The file with the pins that say so.
    type: str
    default: /etc/apt/preferences.d/00-oslab-kernel
  source:
    description: The source file of apt's to fetch, and no other; empty for all.
    type: str
    default: ""
  valid_seconds:
    description: Do not fetch an index that is not older.
    type: int
    default: 0
  lock_timeout:
    description: Seconds to wait while another program holds apt's lock.
    type: int
    default: 60
attributes:
  check_mode:
    description: Fetches nothing, and looks at the preferences by the index that there is.
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
- name: Update the package index
  oslab.kernel.apt_update:
    packages: [gcc, make]
    unless_installed: true
    valid_seconds: 86400
"""

RETURN = r"""
updated:
  description: Whether the index was fetched.
  returned: success
  type: bool
pinned:
  description: Whether apt's preferences are the reason.
  returned: failure
  type: bool
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_update


def argument_spec() -> dict[str, Any]:
    return {
        "packages": {"type": "list", "elements": "str", "default": []},
        "unless_installed": {"type": "bool", "default": False},
        "limited": {"type": "str", "default": ""},
        "limited_by": {"type": "str", "default": "/etc/apt/preferences.d/00-oslab-kernel"},
        "source": {"type": "str", "default": ""},
        "valid_seconds": {"type": "int", "default": 0},
        "lock_timeout": {"type": "int", "default": 60},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    run = module_runner(module)

    if params["unless_installed"] and apt_update.installed(run, params["packages"]):
        module.exit_json(changed=False, updated=False)
    needed = not module.check_mode and not (
        params["valid_seconds"]
        and apt_update.age(Path("/var/lib/apt"), time.time()) <= params["valid_seconds"]
    )
    try:
        if needed:
            apt_update.update(run, params["source"], params["lock_timeout"])
        apt_update.check_pins(run, params["packages"])
        if params["limited"]:
            apt_update.check_limit(run, params["limited"], params["limited_by"])
    except apt_update.AptError as error:
        pinned = isinstance(error, apt_update.PinnedError)
        module.fail_json(msg=f"{error}.", pinned=pinned)
    module.exit_json(changed=False, updated=needed)


if __name__ == "__main__":
    main()
