#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.show_checks; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: show_checks
short_description: Judge what was checked on a host, and print it as a table
version_added: 0.1.0
description:
  - Prints aligned text columns of what was compared, what the system says, what was read and the
    result, and a line of totals; below it the sizes of kernels. The text looks the same with every
    callback.
  - The kernel's log and what a trial boot has changed are judged first, on the control node, as a
    host would judge itself. Each gives rows of the table.
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
  kernel_log:
    description: How to judge what the kernel complained of. Left out, it is not judged.
    type: dict
    version_added: "0.3.0"
    suboptions:
      log:
        description: The C(kernel_log) of M(oslab.kernel.syscall_info).
        type: dict
      baseline:
        description:
          - What P(oslab.kernel.kernel_log_baseline#filter) returned of another boot. Complaints
            that are in it are not new. Empty or left out, it is what the host has recorded.
        type: dict
      severities:
        description: Severities of new complaints that fail the host.
        type: list
        elements: str
        required: true
      severities_without_baseline:
        description: In place of these where there is no baseline, or a part of it is lost.
        type: list
        elements: str
        required: true
      allowed: &allowed
        description: What fails no host.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: A regular expression.
            type: str
            required: true
          reason:
            description: Why it is allowed. It is shown.
            type: str
            required: true
  health:
    description:
      - How to judge what a trial boot has changed. A table of it is printed below that of the
        checks, without what is only new. Left out, it is not judged.
    type: dict
    version_added: "0.3.0"
    suboptions:
      answer:
        description:
          - The C(health) of M(oslab.kernel.syscall_info). V(null) in any other than an unconfirmed
            trial boot, of which nothing is said.
        type: dict
      before:
        description:
          - C(report.health) that this module returned before. It is kept where C(answer) is
            V(null).
        type: dict
      required:
        description: Kinds of which a loss fails the host, such as V(mount).
        type: list
        elements: str
        required: true
      allowed: *allowed
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
report:
  description:
    - What the report shows of the host. C(checks), all rows, and C(sizes) as given.
    - C(kernel_log) has C(complaints), each with C(severity), C(state) (V(new), V(before),
      V(allowed)), C(reason) and C(fails); C(baseline), the release of the kernel that the log is
      compared with; C(complete), whether the log begins with the boot and lacks nothing.
    - C(health) has C(changes), each with C(kind), C(name), C(before), C(now), C(state) (V(lost),
      V(gone), V(changed), V(new)), C(label), C(reason) and C(fails); C(baseline), the release of
      the kernel that ran before; C(system), what systemd says of the boot.
  returned: always
  type: dict
"""
