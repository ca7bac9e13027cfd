# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find settings of a trial boot that the host's own sysctl.d could override."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_settings as values

DOCUMENTATION = r"""
name: trial_settings
short_description: The sysctl settings that a kernel's arguments stand for
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Knows which argument is which file below C(/proc/sys), and lets nothing through that a shell
    would read, as the settings become part of a script.
  - The kernel takes its arguments first; systemd applies C(sysctl.d) later, and so overrules them.
  - Knows those about panics, oopses, lockups and stalls, and all that begin with C(sysctl.).
options:
  _input:
    description: Arguments of the kernel.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the settings of a trial boot
  ansible.builtin.debug:
    msg: "{{ ['panic=10', 'oops=panic'] | oslab.kernel.trial_settings }}"
"""

RETURN = r"""
_value:
  description: C(PATH=VALUE), with the path below C(/proc/sys).
  type: list
  elements: str
"""


def trial_settings(arguments: Sequence[str]) -> list[str]:
    return values.settings(arguments)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"trial_settings": trial_settings}
