# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out why the recorded baseline of a host cannot be used."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import baseline

DOCUMENTATION = r"""
name: baseline_problem
short_description: What is wrong with the record of how a host was
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Parses a file in which whoever is root on the host may have written anything, and checks the
    types and forms of names, versions and paths before a task uses them. No template could.
positional: host, path
options:
  _input:
    description: The record in base64, as M(ansible.builtin.slurp) returns it.
    type: str
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  path:
    description: The file's path, for the sentence.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail where the record cannot be used
  ansible.builtin.assert:
    that: >-
      record.content | oslab.kernel.baseline_problem(
        inventory_hostname, '/var/lib/oslab-kernel/origin.json') | length == 0
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty if nothing is wrong.
  type: str
"""


def baseline_problem(content: str, host: str, path: str) -> str:
    return baseline.problem_of(content, host, path)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"baseline_problem": baseline_problem}
