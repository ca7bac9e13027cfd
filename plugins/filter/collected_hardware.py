# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what the targets of one kernel need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import collected_hardware as hardware

DOCUMENTATION = r"""
name: collected_hardware
short_description: Unite the collected hardware facts of the targets of one kernel
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Checks each value that a target has answered, as any of them may be malformed, and unites those
    of thousands of targets in a time that grows with their number, not with its square.
  - Adds the facts that targets have reported in this run to the known ones.
positional: hostvars, targets, refresh
options:
  _input:
    description: What is known, by the names of the hosts.
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts, C(kernel_target_info) among them.
    type: dict
    required: true
  targets:
    description: Names of the hosts for which the kernel is.
    type: list
    elements: str
    required: true
  refresh:
    description: Whether to replace the known facts of a host by those of this run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Collect the hardware facts of the targets
  ansible.builtin.set_fact:
    seen: "{{ {} | oslab.kernel.collected_hardware(hostvars, groups.kernel_targets) }}"
"""

RETURN = r"""
_value:
  description: >-
    C(captures), what is known now; C(unknown), the targets of which nothing is; C(base_host), whose
    configuration to start from; C(loaded) and C(essential), modules of all targets; C(wrong), a
    sentence for each target whose facts are malformed.
  type: dict
"""


def collected_hardware(
    known: Mapping[str, Any],
    hostvars: Mapping[str, Any],
    targets: Sequence[str],
    refresh: bool = False,
) -> dict[str, Any]:
    return hardware.unite(known, hostvars, targets, refresh)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"collected_hardware": collected_hardware}
