# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute the space that a kernel needs on a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import space

DOCUMENTATION = r"""
name: space_needed
short_description: Space that has to be free on a host before a kernel is installed
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Adds up, by file system, what packages, kernels and the boot loader's copies of them take, and
    what stays free. Which of the directories share one differs from host to host.
  - In KiB, for C(/boot), C(/), and where the boot loader has its own copies of kernels.
positional: packages_kib, free_root_mib, free_boot_mib
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  packages_kib:
    description: What the packages take, installed and as files.
    type: int
    required: true
  free_root_mib:
    description: What stays free in C(/).
    type: int
    required: true
  free_boot_mib:
    description: What stays free wherever kernels are loaded from.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Show the needed space
  ansible.builtin.debug:
    msg: "{{ kernel_target_info | oslab.kernel.space_needed(400000, 256, 32) }}"
"""

RETURN = r"""
_value:
  description: KiB for each directory.
  type: dict
  sample: {"/boot": 66560, "/": 702464}
"""


def space_needed(
    info: Mapping[str, Any], packages_kib: int, free_root_mib: int, free_boot_mib: int
) -> dict[str, int]:
    return space.needed(info, int(packages_kib), int(free_root_mib), int(free_boot_mib))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, int]]]:
        return {"space_needed": space_needed}
