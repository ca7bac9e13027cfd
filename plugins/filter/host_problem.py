# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what a host reported of itself of any use?"""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer

DOCUMENTATION = r"""
name: host_problem
short_description: What is wrong with what a host reported of itself
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Checks names, versions, paths and types before a task uses them.
positional: host
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail where the host's answer cannot be used
  ansible.builtin.assert:
    that: kernel_target_info | oslab.kernel.host_problem(inventory_hostname) | length == 0
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty if nothing is wrong.
  type: str
"""


def host_problem(answer: Any, host: str) -> str:
    return host_answer.problem(answer, host)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"host_problem": host_problem}
