#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.show_fleet; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show_fleet
short_description: Print how the hosts of a run stand
version_added: 0.2.0
description:
  - Prints a table with a line for each outcome, which says how many hosts have it, what kernel and
    what build they run, how long they were down, and names some of them. It is as short for ten
    thousand hosts as for ten.
  - It knows what the roles P(oslab.kernel.trial#role) and P(oslab.kernel.verify#role) have left
    among the variables of the hosts in this run.
options:
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Can run in check mode and return what it would otherwise.
    support: full
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
- name: Print a table of the fleet
  oslab.kernel.show_fleet:
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
lines:
  description: The lines of the table.
  returned: success
  type: list
  elements: str
"""
