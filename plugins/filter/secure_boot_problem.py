# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether a host's firmware would start a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import secure_boot

DOCUMENTATION = r"""
name: secure_boot_problem
short_description: Why a host that enforces Secure Boot would refuse a kernel
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Compares the certificates that a host says its firmware trusts, in a list that may have any
    form, with the one that a kernel's image is signed with and with its issuer.
    M(oslab.kernel.signing_keys) asks the same code of all targets before a build.
positional: host, signer
options:
  _input:
    description: What M(oslab.kernel.host_kernel_info) returned.
    type: dict
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  signer:
    description: >-
      C(sha256), C(subject) and C(issuer) of the certificate, as a manifest states them under
      C(signers.image); empty if the image is not signed.
    type: dict
"""

EXAMPLES = r"""
- name: Fail if the firmware would refuse the kernel
  ansible.builtin.assert:
    that: problem | length == 0
    fail_msg: "{{ problem }}"
  vars:
    problem: >-
      {{ kernel_target_info
         | oslab.kernel.secure_boot_problem(inventory_hostname, signers.image | default({})) }}
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty where nothing stands in the way.
  type: str
"""


def secure_boot_problem(
    info: Mapping[str, Any], host: str, signer: Optional[Mapping[str, str]] = None
) -> str:
    return secure_boot.problem(host, info, signer)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"secure_boot_problem": secure_boot_problem}
