#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.write_report; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: write_report
short_description: Write the report of a run as HTML, JSON and JUnit
version_added: 0.3.0
description:
  - Writes C(report.html), C(report.json) and C(report.xml) with the outcome of each host, on the
    control node. Each file replaces that of an earlier run in one step.
  - It knows what the roles P(oslab.kernel.install#role), P(oslab.kernel.trial#role) and
    P(oslab.kernel.verify#role) have left among the variables of the hosts in this run. Hosts of
    earlier calls in the same run are in the report, too.
  - If the report cannot be written, the task warns and does not fail.
options:
  dir:
    description:
      - The directory of the files. It is created with mode 0750; the files have mode 0640, as
        they quote the logs of hosts. A relative path begins at the current directory of
        C(ansible-playbook). If empty, nothing is written.
    type: path
    required: true
  run:
    description: What was done.
    type: str
    choices: [deploy, verify, rollback]
    required: true
  hosts:
    description: Names of the hosts of the play.
    type: list
    elements: str
    required: true
  answering:
    description: Names of those of them that Ansible still works on.
    type: list
    elements: str
    required: true
  wave:
    description: Names of the hosts that are worked on at the same time.
    type: list
    elements: str
    default: []
  begins:
    description:
      - Whether the work on the hosts of O(wave) begins. Until the call at its end, those without a
        failure are C(lost) in the report - Ansible ends a run at once when it has lost all hosts of
        a wave, and then this report is the last one.
    type: bool
    default: false
  building:
    description:
      - Whether the builders may have no kernel for the targets yet. Targets whose builder has none,
        as the variables of the builder say, are C(no_kernel) in the report, with the reason for a
        build that failed.
      - Nothing is written as long as the run has no target.
    type: bool
    default: false
  builds:
    description:
      - Manifests of the builds, by the names of the builders. Of a builder that is missing, the
        manifest that most of the hosts have which take its kernel (C(kernel_from)).
    type: dict
    default: {}
  show:
    description: Whether to print where the report is.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and return what it would otherwise.
    support: none
    details:
      - In check mode no file is written, and the task is skipped.
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
- name: Write the report
  oslab.kernel.write_report:
    dir: report
    run: verify
    hosts: "{{ ansible_play_hosts_all }}"
    answering: "{{ ansible_play_hosts }}"
  run_once: true
"""

RETURN = r"""
files:
  description: Paths of the files; empty if none was written.
  returned: always
  type: list
  elements: str
"""
