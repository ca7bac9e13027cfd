# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the environment of programs that run unattended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import unattended as environments

DOCUMENTATION = r"""
name: unattended
short_description: The environment of a program that asks nothing and reports in English
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - For C(environment) of a task that installs packages, or that reads what a program prints.
  - debconf and ucf keep the settings that there are; apt-listchanges, apt-listbugs and needrestart
    do not run.
options:
  _input:
    description: Further variables, which go before those of the filter.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Configure the packages that were unpacked
  ansible.builtin.command:
    argv: [dpkg, --configure, --pending]
  environment: "{{ {} | oslab.kernel.unattended }}"
"""

RETURN = r"""
_value:
  description: Names and values.
  type: dict
"""


def unattended(more: Mapping[str, Any]) -> dict[str, str]:
    return environments.unattended(more)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unattended": unattended}
