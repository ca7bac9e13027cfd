# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel arguments by which a host sends its kernel's messages to a receiver."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import netconsole

DOCUMENTATION = r"""
name: netconsole_arguments
short_description: Kernel arguments of netconsole
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Makes the arguments from what the host says of its route to the receiver.
options:
  _input:
    description: >-
      Output of C(ip -json -batch -) on the host, for C(route get ADDRESS) and C(neighbour show). If
      empty, only the receiver is returned.
    type: str
    required: true
  receiver:
    description: C(trial_netconsole), an address of the receiver or V(builder).
    type: str
    required: true
  repository_url:
    description: Address of the builder's repository, for V(builder).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the arguments
  ansible.builtin.debug:
    msg: "{{ (way.stdout | oslab.kernel.netconsole_arguments('192.0.2.1')).arguments }}"
"""

RETURN = r"""
_value:
  description: >-
    C(address) and C(port) of the receiver, C(arguments) of the kernel, C(source), the address of
    the host in them, and C(problem), why there are none; empty otherwise.
  type: dict
"""


def netconsole_arguments(output: str, receiver: str, repository_url: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        **{"address": "", "port": 0, "arguments": [], "source": "", "problem": ""}
    }
    try:
        to = netconsole.receiver(receiver, repository_url)
        found.update(address=to.address, port=to.port)
        if output:
            found["arguments"], found["source"] = netconsole.arguments(output, to)
    except ValueError as error:
        found["problem"] = plain_text.sentence(error)
    return found


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"netconsole_arguments": netconsole_arguments}
