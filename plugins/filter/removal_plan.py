# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which packages to purge and which to restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import removal

DOCUMENTATION = r"""
name: removal_plan
short_description: Which packages of the collection a host has, and what they replaced
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Compares what a host has with what was recorded before anything was installed there.
positional: origin
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  origin:
    description: C(packages), by name their versions from before.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Purge the packages of the collection
  ansible.builtin.apt:
    name: "{{ (kernel_info | oslab.kernel.removal_plan(origin)).purge }}"
    state: absent
"""

RETURN = r"""
_value:
  description: >-
    C(purge), names of those that were not there before, and C(restore), of those that were.
  type: dict
"""


def removal_plan(info: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, list[str]]:
    return removal.plan(info, origin)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"removal_plan": removal_plan}
