# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would apt install other packages from the kernel's repository?"""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import repository_trust

DOCUMENTATION = r"""
name: repository_pin_problem
short_description: Why the pins of a repository do not hold
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Looks for the priority that apt gives a repository, which has to be -1.
positional: host, url, path
options:
  _input:
    description: What C(apt-cache policy) prints.
    type: str
    required: true
  host:
    description: The host's name, for the sentence.
    type: str
    required: true
  url:
    description: The repository's address.
    type: str
    required: true
  path:
    description: The file with the pins, for the sentence.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Fail where they do not hold
  ansible.builtin.assert:
    that: >-
      policy.stdout | oslab.kernel.repository_pin_problem(
        inventory_hostname, url, '/etc/apt/preferences.d/00-oslab-kernel') | length == 0
"""

RETURN = r"""
_value:
  description: A sentence with what to do; empty if they hold.
  type: str
"""


def repository_pin_problem(policy: str, host: str, url: str, path: str) -> str:
    return repository_trust.pin_problem(policy, host, url, path)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"repository_pin_problem": repository_pin_problem}
