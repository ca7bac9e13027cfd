# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find targets whose firmware would refuse a kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import refusals

DOCUMENTATION = r"""
name: secure_boot_refusals
short_description: Targets that enforce Secure Boot and would refuse a kernel
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Asks P(oslab.kernel.secure_boot_problem#filter) of each target that has answered in this run.
    What one of them has answered counts for this target alone.
positional: targets, signer
options:
  _input:
    description: The variables of all hosts, C(kernel_target_info) among them.
    type: dict
    required: true
  targets:
    description: Names of the hosts for which the kernel is.
    type: list
    elements: str
    required: true
  signer:
    description: >-
      C(sha256), C(subject) and C(issuer) of the certificate that signs the image; empty if it is
      not signed.
    type: dict
"""

EXAMPLES = r"""
- name: Find the targets that would refuse the kernel
  ansible.builtin.set_fact:
    found: "{{ hostvars | oslab.kernel.secure_boot_refusals(groups.kernel_targets, signer) }}"
"""

RETURN = r"""
_value:
  description: >-
    C(refused), a sentence with what to do for each target that would refuse it; C(accepting), the
    names of those that have answered and would not; C(report), the sentences as one text, of which
    there are at most ten.
  type: dict
"""


def secure_boot_refusals(
    hostvars: Mapping[str, Any],
    targets: Sequence[str],
    signer: Optional[Mapping[str, str]] = None,
) -> dict[str, Any]:
    return refusals.refusals(hostvars, targets, signer)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"secure_boot_refusals": secure_boot_refusals}
