#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.throttled_reboot; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: throttled_reboot
short_description: Reboot a host, but only so many of its group at the same time
version_added: 0.2.0
description:
  - Does what M(ansible.builtin.reboot) does, and takes its options.
  - Of the hosts of a group, no more than O(at_once) are in their reboot at the same time. Once one
    has not come back, no other of its group is rebooted in this run of C(ansible-playbook).
  - A host that waits for others occupies one of Ansible's C(forks).
  - Neither C(shutdown) nor C(reboot) is run, in front of which a program like molly-guard may ask
    a question. The program that they start is run, C(systemctl reboot) or C(init 6). It reads no
    terminal, and has to end within 60 seconds.
options:
  group:
    description: Name of the group, any text. The hosts without one are a group, too.
    type: str
    default: ""
  at_once:
    description: Hosts of the group that may be in their reboot; V(0) for all.
    type: int
    default: 0
  reboot_timeout:
    description: Seconds within which the host has to answer after its reboot.
    type: int
    default: 600
  connect_timeout:
    description: Seconds that each attempt to connect may take.
    type: int
  reboot_command:
    description: Command that reboots the host, in place of the one that is chosen.
    type: str
  serial_log:
    description: >-
      File on the control node with what the host's serial console prints. Its size before the
      reboot is returned.
    type: path
  msg:
    description: Message to the users who are logged in.
    type: str
    default: Reboot initiated by Ansible
attributes:
  check_mode:
    description: Reports that the host would be rebooted.
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
  oslab.kernel.throttled_reboot:
    group: "{{ rack }}"
    at_once: 2
"""

RETURN = r"""
rebooted:
  description: Whether the host was rebooted.
  returned: always
  type: bool
elapsed:
  description: Seconds that the reboot took.
  returned: always
  type: int
serial_size:
  description: Bytes of O(serial_log) before the reboot; V(0) if it is not there.
  returned: with O(serial_log)
  type: int
refused:
  description: Whether the host was not rebooted because another one of its group was lost.
  returned: if so
  type: bool
"""
