# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a host, for a message."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text as safe

DOCUMENTATION = r"""
name: plain_text
short_description: Text of others in one line, safe to print
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Shows control characters, invisible ones, and those that change the direction of writing as
    escapes such as C(\x1b) or C(\u202e). Whitespace of any kind becomes a space.
positional: length
options:
  _input:
    description: The text. Anything else is written as text first.
    type: raw
    required: true
  length:
    description: Characters that may be left; a longer text is cut.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Fail with what the host said
  ansible.builtin.fail:
    msg: "{{ inventory_hostname }} says: {{ asked.stderr | oslab.kernel.plain_text }}"
"""

RETURN = r"""
_value:
  description: The text in one line.
  type: str
"""


def plain_text(value: Any, length: int = safe.LENGTH) -> str:
    return safe.sentence(value, length)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"plain_text": plain_text}
