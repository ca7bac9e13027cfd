#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.show_doctor; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show_doctor
short_description: Print what was checked on builder and targets before a deployment
version_added: 0.3.0
description:
  - Prints the facts of the machines that a report of a problem needs, and a table with a line for
    each check of each host, V(PASS) or V(FAIL) with what to do. Fails if a check failed.
  - The table has at most 100 columns, and no passwords.
  - It knows what C(playbooks/doctor.yml) has left among the variables of the hosts in this run.
options:
  builders:
    description: Names of the hosts that were checked as builders.
    type: list
    elements: str
    required: true
  targets:
    description: Names of the hosts that were checked as targets.
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
- name: Show the checks of all hosts
  oslab.kernel.show_doctor:
    builders: "{{ groups.kernel_builders }}"
    targets: "{{ groups.kernel_targets }}"
  run_once: true
"""

RETURN = r"""
failures:
  description: Empty, as the task fails if a check failed.
  returned: success
  type: list
  elements: str
"""
