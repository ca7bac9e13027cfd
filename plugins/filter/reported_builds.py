# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out what each builder of a run has published, for the report."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DOCUMENTATION = r"""
name: reported_builds
short_description: What each builder has published
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - By what the roles P(oslab.kernel.build#role) and P(oslab.kernel.publish#role), or
    C(playbooks/verify.yml), have left among the variables of the builders in this run.
positional: groups
options:
  _input:
    description: The variables of all hosts.
    type: dict
    required: true
  groups:
    description: The groups of the inventory.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.import_role:
    name: oslab.kernel.report
  vars:
    report_builds: "{{ hostvars | oslab.kernel.reported_builds(groups) }}"
"""

RETURN = r"""
_value:
  description: >-
    By the names of the builders, the manifest of the build with C(smoke_test); those of which
    nothing is known are left out.
  type: dict
"""


def reported_builds(
    hostvars: kernel_choice.HostVars, groups: kernel_choice.Groups
) -> dict[str, dict[str, Any]]:
    found = {}
    for name in kernel_choice.builders(groups):
        published = kernel_choice.published(hostvars.get(name, {}))
        manifest = published.get("manifest") or {}
        if manifest:
            found[name] = {**manifest, "smoke_test": published.get("smoke_test") or {}}
    return found


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"reported_builds": reported_builds}
