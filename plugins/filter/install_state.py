# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a host with the requested kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import install_state as states

DOCUMENTATION = r"""
name: install_state
short_description: What a host has of the requested kernel
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - What of a kernel's packages is missing on a host, whether the kernel runs there, and whether a
    deployment would change anything.
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  release:
    description: Release of the requested kernel; empty if it is not known yet.
    type: str
    required: true
  version:
    description: Version of its packages.
    type: str
    required: true
  packages:
    description: Names of its packages.
    type: list
    elements: str
    required: true
  optional:
    description: Names of packages that an installation may leave out.
    type: list
    elements: str
    required: true
  files:
    description: >-
      Path to the list of checksums that the file may have. V(null) in it: the file is not there.
    type: dict
    required: true
  present:
    description: Files that have to be there.
    type: list
    elements: str
    required: true
  lock:
    description: File of the deployment lock, which nobody may hold.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find the hosts that have the kernel
  ansible.builtin.set_fact:
    has_kernel: "{{ state.current }}"
  vars:
    state: >-
      {{ host_facts
         | oslab.kernel.install_state('6.1', '1', ['linux-image-6.1'], [], {}, [], '/run/lock') }}
"""

RETURN = r"""
_value:
  description:
    - C(missing) and C(left_out) are lists of C(name=version). C(complete), C(running) and
      C(current) are booleans. On a host that is C(current), the kernel runs and is confirmed, and
      all files are as a deployment leaves them.
  type: dict
"""


def install_state(
    facts: Mapping[str, Any], release: str, version: str, *wanted: Any
) -> dict[str, Any]:
    # Ansible evaluates a loop for hosts, too, for which the task is skipped.
    if facts.get("skipped"):
        return {}
    return states.state(facts, states.Wanted(release, version, *wanted))._asdict()


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"install_state": install_state}
