# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whom a task becomes, which a template of `become_user` cannot leave open."""

from __future__ import annotations

from typing import Any, Callable

from ansible import constants, context

DOCUMENTATION = r"""
name: acting_user
short_description: Whom a task becomes
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - For C(become_user) of tasks that run as a user if a variable names one, and as whoever the play
    becomes if it is empty.
  - Ansible takes the template of a block for a name if it is C(omit) in a task of that block.
options:
  _input:
    description: Name of the user; empty for the one of C(--become-user) or of Ansible's settings.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Build as the user who builds
  become_user: "{{ build_user | oslab.kernel.acting_user }}"
  ansible.builtin.command:
    argv: [id, -un]
  changed_when: false
"""

RETURN = r"""
_value:
  description: Name of the user.
  type: str
"""


def acting_user(name: str) -> str:
    given = context.CLIARGS.get("become_user")
    return str(name or given or constants.config.get_config_value("DEFAULT_BECOME_USER"))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"acting_user": acting_user}
