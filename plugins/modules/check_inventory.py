#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.check_inventory; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_inventory
short_description: Refuse groups and variables with which a run could not do what is wanted
version_added: 0.2.0
description:
  - Checks the groups of the inventory and C(--limit), the names and values of all variables that
    begin as those of the collection's roles, and the files that they name. Fails with one message
    that has all that is wrong, each with its variable, its value and the remedy.
  - Of several builders, also that each target takes the kernel of one of them, that C(--limit)
    leaves that one, and that no two would build different kernels of one release.
  - No host is asked. Variables and files are looked at once in a run, for all hosts of
    C(kernel_builders) and C(kernel_targets) that take part, or, if none of these does, for those of
    the play.
options:
  groups:
    description:
      - Groups that have to have a host in this run, each with the tags of the tasks that need it;
        an empty list for any. C(kernel_from) stands for the builders whose kernels the targets of
        this run take, if the inventory has several builders.
    type: dict
    default: {}
  roles:
    description: Roles of the collection whose variables are checked.
    type: list
    elements: str
    default: []
  unknown:
    description: What is done about variables that no role of the collection has.
    type: str
    choices: [refuse, warn, ignore]
    default: refuse
  others:
    description: >-
      Names of variables of your own that begin as the collection's, or patterns (C(build_*)).
    type: list
    elements: str
    default: []
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
- name: Check groups and variables
  oslab.kernel.check_inventory:
    groups:
      kernel_builders: []
      kernel_targets: [install]
    roles: [source, patch]
  run_once: true
"""

RETURN = r"""
problems:
  description: How many things are wrong; the message has them.
  returned: always
  type: int
"""
