# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out why targets cannot reach the repository at its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._repository.server import url_problem

DOCUMENTATION = r"""
name: repository_url_problem
short_description: Why targets cannot reach a repository
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Parses the notations of addresses, as C(127.1) and C(::ffff:127.0.0.1), and compares what the
    connections of builder and targets say.
  - An address that is made of the builder's in the inventory leads nowhere if that is a loopback
    address and a target is another machine, or if it cannot stand in a URL, as an IPv6 address of
    one link (C(fe80::1%eth0)). One that the user has set is believed.
positional: builder, targets, url, port
options:
  _input:
    description: The variables of all hosts.
    type: dict
    required: true
  builder:
    description: Name of the builder in the inventory.
    type: str
    required: true
  targets:
    description: Names of the targets. Those with C(install_transport=copy) need no repository.
    type: list
    elements: str
    required: true
  url:
    description: What the user has set, or nothing.
    type: str
    required: true
  port:
    description: TCP port of the repository's web server.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Check that the targets reach the repository
  ansible.builtin.assert:
    that: problem | length == 0
    fail_msg: "{{ problem }}"
  vars:
    problem: "{{ hostvars | oslab.kernel.repository_url_problem('localhost', ['web1'], '', 8090) }}"
"""

RETURN = r"""
_value:
  description: A sentence with what to do, or nothing.
  type: str
"""


def repository_url_problem(
    hostvars: Mapping[str, Any], builder: str, targets: Sequence[str], url: str, port: int
) -> str:
    return url_problem(url, int(port), builder, targets, hostvars)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"repository_url_problem": repository_url_problem}
