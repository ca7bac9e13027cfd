#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.deploy_gate; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deploy_gate
short_description: Wait for the gates before a wave
version_added: 0.2.0
description:
  - Asks each gate of a list until it says yes, but not longer than its limit, and prints a line for
    each. Fails if a gate says no. Changes nothing.
  - Runs once for the hosts of a wave, in a play with C(serial). playbooks/deploy_hosts.yml has the
    three tasks that belong together, under names that this plugin reads.
  - Before the first wave only gates with C(before_first) are asked, unless hosts of the group
    C(oslab_current) have the kernel already. Those are the wave before the first one then.
options:
  gates:
    description: The gates, as C(deploy_gates) of the role P(oslab.kernel.preflight#role) has them.
    type: list
    elements: dict
    required: true
  part:
    description: Whether to wait for the gates of the kind C(soak), or for all others.
    type: str
    choices: [soak, others]
    required: true
  soak:
    description: What the task with O(part=soak) returned.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would otherwise.
    support: partial
    details: Asks no gate, and prints those that would be waited for.
  diff_mode:
    description: Returns details on what has changed.
    support: none
  action:
    description: Has a corresponding action plugin.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Wait for the soak of the wave before
  oslab.kernel.deploy_gate:
    gates: "{{ deploy_gates }}"
    part: soak
  register: deploy_soak
  run_once: true
"""

RETURN = r"""
wave:
  description: Number of the wave that begins, from 1 on.
  returned: always
  type: int
gates:
  description: What became of each gate that was asked.
  returned: except in check mode
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    kind:
      description: One of V(soak), V(window), V(approval), V(command) and V(http).
      type: str
    limit:
      description: Seconds that it may be waited for.
      type: int
    passed:
      description: Whether it said yes.
      type: bool
    waited:
      description: Seconds that it was waited for.
      type: int
    answer:
      description: The last answer, in words.
      type: str
since:
  description: When the wave before ended, in seconds since 1970.
  returned: except in check mode
  type: float
ask:
  description: Hosts of the wave before that have to answer now.
  returned: with O(part=soak)
  type: list
  elements: str
answer_within:
  description: Seconds in which they have to answer.
  returned: with O(part=soak)
  type: int
predicted:
  description: Name and kind of each gate that would be waited for.
  returned: in check mode
  type: list
  elements: dict
"""
