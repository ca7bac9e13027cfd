# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose versions of packages to install in place of the collection's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import removal

DOCUMENTATION = r"""
name: removal_restoration
short_description: Which versions to install in place of the collection's packages
version_added: 0.2.0
author: oslab.kernel contributors (@oslab)
description:
  - Parses what C(apt-cache policy) prints, and weighs versions by apt's priorities. It takes the
    version from before where apt has it, else the one that apt prefers of those that are not the
    collection's.
positional: baseline, refused, host, replaced
options:
  _input:
    description: What C(apt-cache policy NAME...) prints of the packages.
    type: str
    required: true
  baseline:
    description: C(packages), by name their versions before the first installation.
    type: dict
    required: true
  refused:
    description: RV(oslab.kernel.apt_removal_info#module:refused), packages that cannot be removed.
    type: dict
    required: true
  host:
    description: The host's name, for the sentences.
    type: str
    required: true
  replaced:
    description: Names of packages of which there was another version before.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Restore the distribution's packages
  ansible.builtin.apt:
    name: >-
      {{ (policy.stdout | oslab.kernel.removal_restoration(baseline, {}, inventory_hostname,
                                                           ['linux-libc-dev'])).install }}
    allow_downgrade: true
"""

RETURN = r"""
_value:
  description: >-
    C(install), a list of C(name=version); C(stay), names for which there is no version;
    C(differences), a sentence for each version that is another than before; C(problem), why
    packages stay, and what to do, empty if none does.
  type: dict
"""


def removal_restoration(
    policy: str,
    baseline: Mapping[str, Any],
    refused: Mapping[str, Sequence[str]],
    host: str,
    replaced: Sequence[str] = (),
) -> dict[str, Any]:
    return removal.restoration(policy, baseline, refused, host, replaced)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"removal_restoration": removal_restoration}
