# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of apt's files are of a repository?"""

from __future__ import annotations

from typing import Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import repository_trust

DOCUMENTATION = r"""
name: repository_index_name
short_description: How the names of apt's files of a repository begin
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Takes the first address in the source file, and writes it as apt does in C(/var/lib/apt/lists).
options:
  _input:
    description: The source file in base64, as M(ansible.builtin.slurp) returns it.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find the index of a repository
  ansible.builtin.find:
    paths: /var/lib/apt/lists
    patterns: "{{ source.content | oslab.kernel.repository_index_name }}_*"
"""

RETURN = r"""
_value:
  description: The beginning of the names; empty if the file names no address.
  type: str
  sample: builder.example.org:8090_kernel
"""


def repository_index_name(content: str) -> str:
    return repository_trust.index_name(content)


class FilterModule:
    def filters(self) -> dict[str, Callable[[str], str]]:
        return {"repository_index_name": repository_index_name}
