# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the package files that are copied to a host without a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import package_copies as copies

DOCUMENTATION = r"""
name: package_copies
short_description: Files of the packages that a host needs, with what is known of each
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Compares three variables of the user's with each other, parses the names of the files,
    C(NAME_VERSION_ARCHITECTURE.deb), and names what which variable lacks.
  - Keeps the order of the files.
positional: sums, packages
options:
  _input:
    description: Paths of package files.
    type: list
    elements: str
    required: true
  sums:
    description: The SHA-256 of each, by its name or path.
    type: dict
    required: true
  packages:
    description: Packages that are needed, as C(name) or C(name=version).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Fail where a file is unknown
  ansible.builtin.assert:
    that: (files | oslab.kernel.package_copies(sums, ['oslab-kernel-tools'])).problem | length == 0
"""

RETURN = r"""
_value:
  description: >-
    C(files), dictionaries with C(path), C(name), C(package) and C(sha256); C(problem), a
    sentence, or empty.
  type: dict
"""


def package_copies(
    files: Sequence[str], sums: Mapping[str, str], packages: Sequence[str]
) -> dict[str, Any]:
    return copies.choose(files, sums, packages)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"package_copies": package_copies}
