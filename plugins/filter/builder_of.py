# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the builder whose kernel a target takes."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DOCUMENTATION = r"""
name: builder_of
short_description: The builder whose kernel a target takes
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - That is the variable C(kernel_from) of the target, or else the first host of C(kernel_builders).
positional: target, hostvars
options:
  _input:
    description: The groups of the inventory.
    type: dict
    required: true
  target:
    description: Name of the target.
    type: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show whose kernel the host takes
  ansible.builtin.debug:
    msg: "{{ groups | oslab.kernel.builder_of(inventory_hostname, hostvars) }}"
"""

RETURN = r"""
_value:
  description: Name of the builder; empty if the inventory has none.
  type: str
"""


def builder_of(groups: kernel_choice.Groups, target: str, hostvars: kernel_choice.HostVars) -> str:
    return kernel_choice.builder_of(target, hostvars, groups)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"builder_of": builder_of}
