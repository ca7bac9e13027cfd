# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let builders of one machine build one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DOCUMENTATION = r"""
name: build_turns
short_description: The order in which builders build
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Builders of one machine build one after the other, those of different machines at the same time.
  - Names are of one machine if M(oslab.kernel.build_stamp) has returned the same C(machine) for
    them.
positional: hostvars
options:
  _input:
    description: Names of the builders.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, C(build_stamp) among them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Build the kernels
  hosts: "{{ (groups.kernel_builders | oslab.kernel.build_turns(hostvars)).hosts }}"
  serial: "{{ (groups.kernel_builders | oslab.kernel.build_turns(hostvars)).serial }}"
"""

RETURN = r"""
_value:
  description: >-
    C(hosts), the names in the order of their turns, and C(serial), how many have each turn. A play
    takes both.
  type: dict
"""


def build_turns(names: Sequence[str], hostvars: kernel_choice.HostVars) -> dict[str, list[Any]]:
    machines = {}
    for name in names:
        stamp = hostvars[name].get("build_stamp") if name in hostvars else None
        machines[name] = str((stamp or {}).get("machine") or "")
    rounds = kernel_choice.turns(names, machines)
    return {
        "hosts": [name for round_ in rounds for name in round_],
        "serial": [len(round_) for round_ in rounds],
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"build_turns": build_turns}
