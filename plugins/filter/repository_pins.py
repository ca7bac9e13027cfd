# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt may install from the kernel's repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_repository

DOCUMENTATION = r"""
name: repository_pins
short_description: Preferences that let apt install these packages from a repository, and no others
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Makes the text of a file for C(/etc/apt/preferences.d). It gives the packages in this version
    the priority 1, and all else of the repository's host the priority -1.
  - Where another source of the machine is on the same host, the repository is known by the
    C(Origin) in its C(Release) file instead.
positional: packages, version, entries, source, by_origin
options:
  _input:
    description: The repository's address.
    type: str
    required: true
  packages:
    description: Names of packages.
    type: list
    elements: str
    required: true
  version:
    description: Their version.
    type: str
    required: true
  entries:
    description: >-
      What C(apt-get indextargets --format '$(SOURCESENTRY\) $(REPO_URI\)' 'Created-By: Packages')
      prints.
    type: str
    default: ""
  source:
    description: The file in C(/etc/apt/sources.list.d) of this repository.
    type: str
    default: ""
  by_origin:
    description:
      - Whether another source of the machine is on the same host. By default, O(entries) tell.
    type: bool
"""

EXAMPLES = r"""
- name: Pin a repository
  ansible.builtin.copy:
    content: >-
      {{ 'http://builder.example.org:8090'
         | oslab.kernel.repository_pins(['oslab-kernel-tools'], '6.12.0-oslab1.0123456789ab') }}
    dest: /etc/apt/preferences.d/00-oslab-kernel
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The file's text.
  type: str
"""


def repository_pins(
    url: str,
    packages: Sequence[str],
    version: str,
    entries: str = "",
    source: str = "",
    by_origin: Optional[bool] = None,
) -> str:
    if by_origin is None:
        by_origin = apt_repository.shared(url, entries, source)
    return apt_repository.pins(url, packages, version, by_origin=by_origin)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"repository_pins": repository_pins}
