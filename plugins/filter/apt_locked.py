# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether another program held the lock of apt or dpkg."""

from __future__ import annotations

from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_lock

DOCUMENTATION = r"""
name: apt_locked
short_description: Whether apt or dpkg failed because another program holds a lock
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Recognizes the messages of apt, dpkg and debconf, in the language C.
options:
  _input:
    description: What was printed on standard error.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Configure the packages that were unpacked
  ansible.builtin.command:
    argv: [dpkg, --configure, --pending]
  register: configured
  until: configured.rc == 0 or not (configured.stderr | oslab.kernel.apt_locked)
"""

RETURN = r"""
_value:
  description: Whether a later attempt may succeed by itself.
  type: bool
"""


def apt_locked(text: str) -> bool:
    return apt_lock.held(text)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., bool]]:
        return {"apt_locked": apt_locked}
