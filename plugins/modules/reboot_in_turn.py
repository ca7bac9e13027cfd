#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.reboot_in_turn; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reboot_in_turn
short_description: Reboot a host, when enough of its group are up
version_added: 0.1.0
description:
  - Does what M(ansible.builtin.reboot) does, and takes its options.
  - Of the hosts of a group, no more than O(at_once) are in their reboot at the same time. Once one
    has not come back, no other of its group is rebooted in this run of C(ansible-playbook).
  - A host that waits for its turn takes one of Ansible's C(forks).
  - Neither C(shutdown) nor C(reboot) is run, in front of which a program like molly-guard may ask
    a question, but what they run in the end, C(systemctl reboot) or C(init 6). It reads no
    terminal, and has 60 seconds to pass the order on.
options:
  group:
    description: The group, by any name. The hosts without one are a group, too.
    type: str
    default: ""
  at_once:
    description: How many of the group may be in their reboot; V(0) for all.
    type: int
    default: 0
  reboot_timeout:
    description: Seconds until a host that does not answer has not come back.
    type: int
    default: 600
  connect_timeout:
    description: Seconds that each attempt to connect may take.
    type: int
  reboot_command:
    description: Command that reboots the host, in place of the one that is chosen.
    type: str
  msg:
    description: What is told to who is logged in.
    type: str
    default: Reboot initiated by Ansible
attributes:
  check_mode:
    description: Says that it would be rebooted.
    support: full
  diff_mode:
    description: A reboot has no difference.
    support: none
  action:
    description: Has a corresponding action plugin, which does all of it on the control node.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Reboot two of each rack at a time
  oslab.kernel.reboot_in_turn:
    group: "{{ rack }}"
    at_once: 2
"""

RETURN = r"""
rebooted:
  description: Whether it was rebooted.
  returned: always
  type: bool
elapsed:
  description: Seconds that it took.
  returned: always
  type: int
refused:
  description: Whether it was not rebooted because another one of its group was lost.
  returned: if so
  type: bool
"""
