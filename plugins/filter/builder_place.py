# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out which of the builders a host is, and what the names of its own files end with."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DOCUMENTATION = r"""
name: builder_place
short_description: Which of the builders a host is
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Builders may be names of one machine. Each has files of its own there, whose names end with the
    builder's; those of the first builder have no such end.
positional: builder
options:
  _input:
    description: The groups of the inventory.
    type: dict
    required: true
  builder:
    description: Name of the builder.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show where the tree of a builder is
  ansible.builtin.debug:
    msg: trees/kernel_org-6.8{{ (groups | oslab.kernel.builder_place('b')).suffix }}
"""

RETURN = r"""
_value:
  description: >-
    C(rank), which is V(only), V(first) (of several) or V(other); C(suffix), the end of the
    names of its own files, empty unless it is another one; C(metrics), the name of the file of its
    metrics, and C(metrics_before), that which it would have if there were others, or no others.
  type: dict
"""


def builder_place(groups: kernel_choice.Groups, builder: str) -> dict[str, str]:
    metrics, before = kernel_choice.metrics_files(builder, groups)
    return {
        "metrics": metrics,
        "metrics_before": before,
        "rank": kernel_choice.rank(builder, groups),
        "suffix": kernel_choice.suffix(builder, groups),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"builder_place": builder_place}
