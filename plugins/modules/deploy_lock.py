#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: acquire and release the deployment lock of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deploy_lock
short_description: Acquire and release the deployment lock of a host
version_added: 0.2.0
description:
  - Records on the host which run of C(ansible-playbook) holds its deployment lock. Fails if another
    run holds it, from this control node or from another one. The message names that run.
  - A lock ends when it is released, when it expires, and with the host's boot. A run on the same
    control node can see that the run which holds the lock has ended, and replaces its lock.
options:
  state:
    description:
      - V(held) acquires the lock or extends it; V(released) releases it.
      - V(read) acquires nothing. It fails if another run holds the lock.
    type: str
    choices: [held, released, read]
    default: held
  seconds:
    description: Seconds after which the lock expires, unless its run extends it.
    type: int
    default: 3600
  path:
    description: File of the lock. It has to be on a file system that is empty after a boot.
    type: path
    default: /run/oslab-kernel.claim
  run:
    description: Identifies the run; set by the action plugin.
    type: str
    default: ""
  text:
    description: Describes the run to people; set by the action plugin.
    type: str
    default: ""
  gone:
    description: A run that has ended without releasing the lock; set by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    description: >-
      No lock is acquired, and a lock of another run does not matter. V(state=read) does the same in
      check mode.
    support: full
  diff_mode:
    description: The lock is not part of the state of the host that lasts.
    support: none
  action:
    description: Has a corresponding action plugin.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Acquire the deployment lock
  oslab.kernel.deploy_lock:
    seconds: 1800

- name: Release the deployment lock
  oslab.kernel.deploy_lock:
    state: released
"""

RETURN = r"""
held:
  description: Whether this run holds the lock.
  returned: success
  type: bool
by:
  description: The run that holds the lock, if it is another one.
  returned: when another run holds it
  type: dict
  contains:
    run:
      description: Identifies the run.
      type: str
    text:
      description: Describes the run to people.
      type: str
    seconds:
      description: Seconds until the lock expires.
      type: int
"""

import errno
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._host.deploy_lock import (
    PATH,
    Lock,
    acquire,
    holder,
    release,
)


def argument_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["held", "released", "read"], "default": "held"},
        "seconds": {"type": "int", "default": 3600},
        "path": {"type": "path", "default": PATH},
        "run": {"type": "str", "default": ""},
        "text": {"type": "str", "default": ""},
        "gone": {"type": "str", "default": ""},
    }


def advice(error: OSError) -> str:
    if error.errno == errno.EAGAIN:
        return "another process keeps it locked. End that (fuser -v, lslocks), or reboot the host."
    if error.errno == errno.EINVAL:
        return f"{error.strerror}. Remove it."
    return f"{error.strerror}; run this as root (become)."


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    path = Path(params["path"])
    only_read = params["state"] == "read"
    if module.check_mode and not only_read:
        module.exit_json(changed=False, held=False)
    # Nothing that lasts is changed.
    try:
        if params["state"] == "released":
            release(path, params["run"])
            module.exit_json(changed=False, held=False)
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        wanted = Lock(params["run"], params["text"], now + params["seconds"])
        if only_read:
            other = holder(path, wanted.run, now, params["gone"])
        else:
            other = acquire(path, wanted, now, params["gone"])
    except OSError as error:
        module.fail_json(msg=f"{path}: {advice(error)}")
    if other:
        by = {"run": other.run, "text": other.text, "seconds": int(other.until - now)}
        module.exit_json(changed=False, held=False, by=by)
    module.exit_json(changed=False, held=not only_read)


if __name__ == "__main__":
    main()
