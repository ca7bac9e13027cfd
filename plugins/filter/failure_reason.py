# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format the reason of a failed task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import failure

DOCUMENTATION = r"""
name: failure_reason
short_description: Reason of a failed task, in one line
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Finds the reason in a failed task's result, whether it is a module's message, the output of
    a command, or the items of a loop.
options:
  _input:
    description: C(ansible_failed_result), or what a failed task has registered.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Report the failure
  ansible.builtin.debug:
    msg: "{{ ansible_failed_result | oslab.kernel.failure_reason }}"
"""

RETURN = r"""
_value:
  description: The reason, shortened if it is long.
  type: str
"""


def failure_reason(result: Mapping[str, Any]) -> str:
    return failure.reason(result)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"failure_reason": failure_reason}
