#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: let one run at a time work on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_claim
short_description: Let one run at a time work on a host
version_added: 0.1.0
description:
  - Writes down on the host which run of C(ansible-playbook) works on it, and fails if another one
    does, from this control node or from any other. The message says whose it is.
  - A claim ends when it is released, when its time is over, and with the host's boot. One whose run
    is gone is no claim for a run on the same control node, which can tell.
options:
  state:
    description: V(held) claims the host, or does so for longer; V(released) lets go of it.
    type: str
    choices: [held, released]
    default: held
  seconds:
    description: How long the claim of a run holds that does not renew it.
    type: int
    default: 3600
  path:
    description: Where it is written down. Has to be gone with the host's boot.
    type: path
    default: /run/oslab-kernel.claim
  run:
    description: Names the run; set by the action plugin.
    type: str
    default: ""
  text:
    description: Names it for people; set by the action plugin.
    type: str
    default: ""
  gone:
    description: A run that has ended without letting go; set by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    description: Nothing is claimed, and nothing is in the way.
    support: full
  diff_mode:
    description: A claim is nothing that is kept.
    support: none
  action:
    description: Has a corresponding action plugin.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Keep others off
  oslab.kernel.host_claim:
    seconds: 1800

- name: Let them
  oslab.kernel.host_claim:
    state: released
"""

RETURN = r"""
held:
  description: Whether the host is this run's.
  returned: success
  type: bool
by:
  description: The run that has claimed it, where that is another one.
  returned: when it is another one's
  type: dict
  contains:
    run:
      description: Names the run.
      type: str
    text:
      description: Names it for people.
      type: str
    seconds:
      description: How long the claim holds yet.
      type: int
"""

import errno
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._host.deploy_lock import (
    Claim,
    release,
    take,
)


def argument_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
        "seconds": {"type": "int", "default": 3600},
        "path": {"type": "path", "default": "/run/oslab-kernel.claim"},
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
    if module.check_mode:
        module.exit_json(changed=False, held=False)
    # Nothing that lasts is changed.
    try:
        if params["state"] == "released":
            release(path, params["run"])
            module.exit_json(changed=False, held=False)
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        wanted = Claim(params["run"], params["text"], now + params["seconds"])
        other = take(path, wanted, now, params["gone"])
    except OSError as error:
        module.fail_json(msg=f"{path}: {advice(error)}")
    if other:
        by = {"run": other.run, "text": other.text, "seconds": int(other.until - now)}
        module.exit_json(changed=False, held=False, by=by)
    module.exit_json(changed=False, held=True)


if __name__ == "__main__":
    main()
