# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out why a host does not take a build that too few have rebuilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Union

from ansible_collections.oslab.kernel.plugins.plugin_utils import rebuilds

DOCUMENTATION = r"""
name: rebuild_refusal
short_description: Why a host does not take a build that too few known keys vouch for
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Counts the keys that have signed an attestation of the build. An attestation counts if it is of
    a passed rebuild of this very build, with the published checksum of each package. A key counts
    once.
  - Runs C(gpgv) on the control node, unless no attestation is asked for.
positional: host, required, keys, build_id, packages
options:
  _input:
    description: The attestations that are published, each with its signature.
    type: list
    elements: str
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  required:
    description: How many keys have to vouch.
    type: int
    required: true
  keys:
    description: The known keys, each an ASCII-armoured public key or the path of its file.
    type: list
    elements: str
    required: true
  build_id:
    description: The id of the build.
    type: str
    required: true
  packages:
    description: SHA-256 of each of its packages.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Fail if too few known keys vouch for the build
  ansible.builtin.fail:
    msg: "{{ refusal }}"
  when: refusal | length > 0
  vars:
    refusal: >-
      {{ attestations
         | oslab.kernel.rebuild_refusal(inventory_hostname, 2, keys, build_id, sums) }}
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty if enough keys vouch for it.
  type: str
"""


def rebuild_refusal(
    texts: Sequence[str],
    host: str,
    required: Union[int, str],
    keys: Sequence[str],
    build_id: str,
    packages: Mapping[str, str],
) -> str:
    return rebuilds.refusal(texts, host, int(required), keys, build_id, packages)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rebuild_refusal": rebuild_refusal}
