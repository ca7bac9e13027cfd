# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out why a repository's key must not replace the one that a host trusts."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import repository_trust

DOCUMENTATION = r"""
name: repository_key_problem
short_description: Why a repository's key may not replace the one that a host trusts
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Parses OpenPGP keys, also one in a file in which the host may have anything, and compares the
    fingerprints of the primary keys. A key with other subkeys, user names or dates is the same one.
positional: key, host, path
options:
  _input:
    description: >-
      The content of the C(.sources) file that the host has, in base64, as M(ansible.builtin.slurp)
      returns it.
    type: str
    required: true
  key:
    description: The ASCII-armoured public key that would be written.
    type: str
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  path:
    description: The file's path, for the sentence.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail if the key is another one
  ansible.builtin.assert:
    that: >-
      source.content | oslab.kernel.repository_key_problem(
        key, inventory_hostname, '/etc/apt/sources.list.d/oslab-kernel.sources') | length == 0
"""

RETURN = r"""
_value:
  description: >-
    A sentence with both fingerprints and what to do; empty if it is the same key, or the file
    has none.
  type: str
"""


def repository_key_problem(content: str, key: str, host: str, path: str) -> str:
    return repository_trust.key_problem(content, key, host, path)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"repository_key_problem": repository_key_problem}
