#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what packages a host's aptly can read."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: aptly_info
short_description: What packages a host's aptly can read
description:
  - Chooses the compression of packages by the release of aptly that is installed, or that apt would
    install. Before 1.5, which Ubuntu 22.04 does not have, aptly reads none that are compressed by
    zstd. Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options: {}
"""

EXAMPLES = r"""
- name: Choose the compression of packages
  oslab.kernel.aptly_info:
  register: aptly
"""

RETURN = r"""
version:
  description: Release of aptly; empty if it is not installed and apt knows none.
  returned: success
  type: str
  sample: 1.4.0+ds1-7
compression:
  description: V(zstd) if it reads that, or if no release is known; else V(xz).
  returned: success
  type: str
  sample: xz
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import aptly_version


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    found = aptly_version.find(module_runner(module), module.get_bin_path("aptly"))
    module.exit_json(changed=False, version=found.version, compression=found.compression)


if __name__ == "__main__":
    main()
