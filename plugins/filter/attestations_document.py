# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the file with the attestations of a build."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._repository import attestations

DOCUMENTATION = r"""
name: attestations_document
short_description: The attestations of a build, as they are published
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Keeps those of the given attestations that say that they are of the build, in a fixed order. Who
    counts them checks their signatures.
positional: build_id
options:
  _input:
    description: Attestations of any builds, each with its signature.
    type: list
    elements: str
    required: true
  build_id:
    description: The id of the build.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the attestations of a build
  ansible.builtin.debug:
    msg: "{{ texts | oslab.kernel.attestations_document(build_result.build_id) }}"
"""

RETURN = r"""
_value:
  description: C(schema), and C(attestations), the texts.
  type: dict
"""


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"attestations_document": attestations.document}
