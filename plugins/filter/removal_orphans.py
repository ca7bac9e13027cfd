# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find packages that came with the collection's and are no longer needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import removal

DOCUMENTATION = r"""
name: removal_orphans
short_description: Packages that came with the collection's and are no longer needed
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Leaves out what was there before, or came later for another reason, though apt may think that
    nobody needs it.
positional: origin
options:
  _input:
    description: The output of C(apt-get --simulate autoremove).
    type: str
    required: true
  origin:
    description: >-
      C(names), all packages from before, and C(brought), those that came with the collection's.
      Without both, there are no such packages.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Purge packages that are no longer needed
  ansible.builtin.apt:
    name: "{{ simulated.stdout | oslab.kernel.removal_orphans(origin) }}"
    state: absent
"""

RETURN = r"""
_value:
  description: Names of packages.
  type: list
  elements: str
"""


def removal_orphans(simulation: str, origin: Mapping[str, Any]) -> list[str]:
    return removal.orphans(simulation, origin)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"removal_orphans": removal_orphans}
