# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the targets that take the kernel of a builder."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DOCUMENTATION = r"""
name: targets_of
short_description: The targets that take the kernel of a builder
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Those of C(kernel_targets) whose variable C(kernel_from) names the builder. Without that
    variable a target takes the kernel of the first host of C(kernel_builders).
positional: builder, hostvars
options:
  _input:
    description: The groups of the inventory.
    type: dict
    required: true
  builder:
    description: Name of the builder.
    type: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show for whom the kernel is
  ansible.builtin.debug:
    msg: "{{ groups | oslab.kernel.targets_of(inventory_hostname, hostvars) }}"
"""

RETURN = r"""
_value:
  description: Names of the targets, in their order.
  type: list
  elements: str
"""


def targets_of(
    groups: kernel_choice.Groups, builder: str, hostvars: kernel_choice.HostVars
) -> list[str]:
    return kernel_choice.targets_of(builder, hostvars, groups)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"targets_of": targets_of}
