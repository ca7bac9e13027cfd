#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.kernel_lock, which has the lock on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_lock
short_description: Write the lock of a kernel's build, or compare a build with it
description:
  - A lock is a YAML file on the control node, for git, with all inputs of a build.
  - It asks the builder by M(oslab.kernel.build_inputs_info).
  - The playbooks C(lock.yml) and C(build.yml) use it.
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options:
  state:
    description:
      - V(read) returns RV(settings) and RV(targets), with which the writing of a lock begins.
      - V(matched) compares the settings, files and programs with the lock, and fails with a message
        that names each line that differs. Returns RV(variables).
      - V(present) writes the lock, and prints which lines changed.
    type: str
    choices: [read, matched, present]
    required: true
  path:
    description: File on the control node. A relative path is beside the inventory.
    type: str
    required: true
  settings:
    description: With V(present), RV(settings) of V(read).
    type: dict
    default: {}
  planned:
    description: With V(present), C(plan) of M(oslab.kernel.kernel_build).
    type: dict
    default: {}
  stale:
    description: Whether, in check mode, O(planned) is that of a tree which a run would change.
    type: bool
    default: false
  targets:
    description: With V(present), C(hosts) (their collected facts) and C(base_host).
    type: dict
    default: {}
  base:
    description: File on the builder with the configuration of C(base_host).
    type: str
    default: ""
attributes:
  check_mode:
    description: Says whether the lock would change.
    support: full
  diff_mode:
    description: Shows the lines of the lock that change.
    support: full
  action:
    description: Has a corresponding action plugin, which has the lock.
    support: full
"""

EXAMPLES = r"""
- name: Compare the inputs of the build with the lock
  oslab.kernel.kernel_lock:
    state: matched
    path: kernel.lock
  register: kernel_lock
"""

RETURN = r"""
settings:
  description: Variables that decide what is built, with their values.
  returned: with O(state=read)
  type: dict
targets:
  description: What the last lock has of the targets.
  returned: with O(state=read)
  type: dict
variables:
  description: Variables of roles with the values that the lock has for them.
  returned: with O(state=matched)
  type: dict
changes:
  description: A text for each line of the lock that changed, with the old and the new value.
  returned: with O(state=present)
  type: list
  elements: str
"""
