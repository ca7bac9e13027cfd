# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the kernels that can be pruned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable, Union

from ansible_collections.oslab.kernel.plugins.plugin_utils import removal

DOCUMENTATION = r"""
name: prunable_packages
short_description: Packages of the kernels of the collection that can be pruned
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Never returns the kernel that runs, nor one of O(needed).
positional: keep, needed
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  keep:
    description: How many of the collection's kernels to keep, the newest; at least one.
    type: int
    required: true
  needed:
    description: Releases to keep in any case.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Prune kernels
  ansible.builtin.apt:
    name: "{{ kernel_info | oslab.kernel.prunable_packages(2, [good_release]) }}"
    state: absent
"""

RETURN = r"""
_value:
  description: Names of packages.
  type: list
  elements: str
"""


def prunable_packages(
    info: Mapping[str, Any], keep: Union[int, str], needed: Iterable[str] = ()
) -> list[str]:
    return removal.prunable(info, int(keep), needed)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"prunable_packages": prunable_packages}
