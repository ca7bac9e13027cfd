# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the difference that a trial boot makes on a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import health

DOCUMENTATION = r"""
name: health_verdict
short_description: What a host has lost in a trial boot, and whether that fails it
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Decides which of the changes that a host reported fail it, without those that the user allows.
  - On the control node, as a host would judge itself.
positional: required, allowed
options:
  _input:
    description:
      - The C(health) of M(oslab.kernel.syscall_info); V(null) in any other than an unconfirmed
        trial boot, of which nothing is said.
    type: dict
    required: true
  required:
    description: Kinds of which a loss fails the host, such as V(mount).
    type: list
    elements: str
    required: true
  allowed:
    description: Mappings with C(pattern), a regular expression, and C(reason).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the rows of the table of checks
  ansible.builtin.debug:
    msg: "{{ (syscalls.health | oslab.kernel.health_verdict(['mount', 'unit'])).checks }}"
"""

RETURN = r"""
_value:
  description:
    - C(checks), rows for M(oslab.kernel.show_checks).
    - C(changes), each with C(kind), C(name), C(before), C(now), C(state) (V(lost), V(gone),
      V(changed), V(new)), C(label), C(reason) and C(fails).
    - C(baseline), the release of the kernel that ran before, and C(system), what systemd says of
      the boot.
  type: dict
"""


def health_verdict(
    answer: Optional[Mapping[str, Any]],
    required: Sequence[str],
    allowed: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    return health.verdict(answer, health.Settings(required, allowed))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"health_verdict": health_verdict}
