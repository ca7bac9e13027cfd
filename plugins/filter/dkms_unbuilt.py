# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find modules of DKMS that are not built for a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import dkms

DOCUMENTATION = r"""
name: dkms_unbuilt
short_description: Modules of DKMS that are not built for a kernel of a host
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Names the modules that DKMS builds for each new kernel by itself, and those that the running
    kernel has, of which no version is built for a kernel.
positional: release
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  release:
    description: The kernel.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail if a module of DKMS is missing
  ansible.builtin.assert:
    that: kernel_info | oslab.kernel.dkms_unbuilt('6.12.117-49-usac1') | length == 0
"""

RETURN = r"""
_value:
  description: The modules, as V(NAME/VERSION).
  type: list
  elements: str
"""


def dkms_unbuilt(info: Mapping[str, Any], release: str) -> list[str]:
    return dkms.unbuilt(info, release)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"dkms_unbuilt": dkms_unbuilt}
