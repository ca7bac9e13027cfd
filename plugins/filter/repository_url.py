# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where do targets find the repository?"""

from __future__ import annotations

from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._repository.server import effective_url

DOCUMENTATION = r"""
name: repository_url
short_description: Where targets find a repository
version_added: 0.1.0
author: oslab.kernel contributors (@oslab)
description:
  - Gives the address that the user has set, or makes one of the builder's name and port. An IPv6
    address is put in brackets.
positional: host, port
options:
  _input:
    description: What the user has set, or nothing.
    type: str
    required: true
  host:
    description: Name or IP address under which targets reach the builder.
    type: str
    required: true
  port:
    description: TCP port of the repository's web server.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Print where targets find the repository
  ansible.builtin.debug:
    msg: "{{ '' | oslab.kernel.repository_url('2001:db8::1', 8090) }}"  # http://[2001:db8::1]:8090
"""

RETURN = r"""
_value:
  description: A URL.
  type: str
"""


def repository_url(url: str, host: str, port: int) -> str:
    return effective_url(url, host, port)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"repository_url": repository_url}
