# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel is not installed on a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import host_refusal as refusals

DOCUMENTATION = r"""
name: host_refusal
short_description: Why a kernel is not installed on a host
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Looks for what stands in the way of a kernel on a host before anything is changed there. A
    container and a Xen host boot no kernel of their own; another architecture has no use for it;
    the firmware of a host that enforces Secure Boot would refuse it; and where packages are to be
    installed, a host may be unable to make an initrd, or hold a package in its version.
  - For Secure Boot it compares the certificates that the firmware trusts, as the host says, with
    the one that the image is signed with and with its issuer. M(oslab.kernel.signing_keys) asks
    the same code of all targets before a build.
positional: host, missing, signer, image, topics
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  missing:
    description: Packages to install, as C(name=version).
    type: list
    elements: str
    required: true
  signer:
    description: >-
      C(sha256), C(subject) and C(issuer) of the certificate, as a manifest states them under
      C(signers.image); empty if the image is not signed.
    type: dict
  image:
    description: >-
      The kernel's package, as C(name=version): refused if its trial boot has failed on this host.
      Empty to try it again.
    type: str
    default: ""
  topics:
    description: Kinds of reasons that count, such as V(Secure Boot); all if there are none.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check that the host can take the kernel
  ansible.builtin.assert:
    that: refusal | length == 0
    fail_msg: "{{ refusal }}"
  vars:
    refusal: >-
      {{ host_facts
         | oslab.kernel.host_refusal(inventory_hostname, ['linux-image-6.12.0=1'], signers.image) }}
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty where nothing stands in the way.
  type: str
"""


def host_refusal(
    facts: Mapping[str, Any],
    host: str,
    missing: Sequence[str],
    signer: Optional[Mapping[str, str]] = None,
    image: str = "",
    topics: Sequence[str] = (),
) -> str:
    return refusals.refusal(facts, host, missing, signer, image, topics)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"host_refusal": host_refusal}
