#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.show_checks; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show_checks
short_description: Print what was checked on a host as a table
version_added: 0.1.0
description:
  - Prints aligned text columns of what was compared, what the system says, what was read and the
    result, and a line of totals; below it the sizes of kernels. The text looks the same with every
    callback.
options:
  checks:
    description:
      - The C(checks) that M(oslab.kernel.syscall_info) or M(oslab.kernel.kernel_files) returned.
    type: list
    elements: dict
    required: true
  sizes:
    description: C(sizes) of M(oslab.kernel.kernel_files); no such table without it.
    type: dict
  changes:
    description:
      - The C(changes) that P(oslab.kernel.health_verdict#filter) returned. A table of them is
        printed below that of the checks, without those that are only new.
    type: list
    elements: dict
    default: []
    version_added: "0.3.0"
  show:
    description:
      - V(failures) prints the checks that failed or gave no answer, and the number of all. V(all)
        prints all checks and the sizes.
    type: str
    choices: [failures, all]
    default: all
    version_added: "0.3.0"
  fail:
    description: Fail if a check failed, after the table.
    type: bool
    default: false
  title:
    description: A line above the table.
    type: str
    default: ""
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
- name: Show the table, and fail with all that is wrong
  oslab.kernel.show_checks:
    checks: "{{ syscalls.checks }}"
    fail: true
"""

RETURN = r"""
failures:
  description: One sentence for each check that failed, with what was expected and what was read.
  returned: always
  type: list
  elements: str
counts:
  description: How many checks are C(ok), C(failed) and C(unknown).
  returned: always
  type: dict
  sample: {"ok": 40, "failed": 0, "unknown": 1}
"""
