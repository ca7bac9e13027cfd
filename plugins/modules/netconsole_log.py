#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: receive what the kernel of a host sends by netconsole, and read it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netconsole_log
short_description: Receive what the kernel of a host sends by netconsole
description:
  - >-
    With V(state=received) it receives UDP packets of one host and writes them to a file, for
    O(seconds), or until the file has 1 MiB, or until another receiver has replaced the file. Run it
    with C(async) and C(poll=0).
  - With V(state=read) it returns the last 300 lines of that file.
version_added: "0.3.0"
author: oslab.kernel contributors (@oslab)
options:
  path:
    description: The file. An earlier one is replaced; it gets mode C(0640).
    type: path
    required: true
  state:
    description: Whether to receive or to read.
    type: str
    choices: [received, read]
    default: received
  address:
    description: >-
      IP address of the host, as its packets arrive. Packets of others are dropped. Needed by
      V(state=received).
    type: str
  port:
    description: UDP port to receive on. The host sends from port 6665.
    type: int
    default: 6666
  seconds:
    description: How long to receive.
    type: int
    default: 600
attributes:
  check_mode:
    description: Nothing is received.
    support: full
  diff_mode:
    description: The file is a log.
    support: none
"""

EXAMPLES = r"""
- name: Receive what the kernel of a host sends
  oslab.kernel.netconsole_log:
    path: /var/lib/oslab-kernel/netconsole/web1.log
    address: 192.0.2.7
    seconds: 900
  async: 960
  poll: 0
"""

RETURN = r"""
bytes:
  description: How many bytes were received.
  returned: with V(state=received)
  type: int
lines:
  description: The last lines, without stamps of time; none if there is no file.
  returned: with V(state=read)
  type: list
  elements: str
"""

from contextlib import closing
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import (
    kernel_text,
    netconsole,
)


def argument_spec() -> dict[str, Any]:
    return {
        "path": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["received", "read"], "default": "received"},
        "address": {"type": "str"},
        "port": {"type": "int", "default": 6666},
        "seconds": {"type": "int", "default": 600},
    }


def read(path: Path) -> list[str]:
    try:
        data = bounded_read.end(path, netconsole.MOST_BYTES)
    except FileNotFoundError:
        return []
    lines = kernel_text.last(kernel_text.lines(data.decode("utf-8", "replace")))
    return [plain_text.escape(line) for line in lines]


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "received", ("address",))],
        supports_check_mode=True,
    )
    params = module.params
    path = Path(params["path"])
    try:
        if params["state"] == "read":
            module.exit_json(changed=False, lines=read(path))
        if module.check_mode:
            module.exit_json(changed=False, bytes=0)
        netconsole.forget(path)
        with closing(netconsole.opened(params["address"], params["port"])) as found:
            received = netconsole.receive(found, path, params["seconds"])
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{path}: {error}")
    # A log: nothing that is managed.
    module.exit_json(changed=False, bytes=received)


if __name__ == "__main__":
    main()
