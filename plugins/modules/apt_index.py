#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: is the index that apt has fetched the one that was published, or a later one?"""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_index
short_description: Check that a target has the repository's current index
version_added: 0.1.0
description:
  - apt takes any index with a good signature, however old. This compares the one that apt fetched
    last with the one that was published. It has to be that very file or one of a later date,
    since somebody may have published again meanwhile.
  - Fails if it is older. Changes nothing.
options:
  source:
    description: The source file of apt's that names this repository and no other.
    type: path
    default: /etc/apt/sources.list.d/oslab-kernel.sources
  sha256:
    description: SHA-256 of the C(InRelease) that was published.
    type: str
    required: true
  date:
    description: Its C(Date), in seconds since 1970 (UTC).
    type: int
    required: true
attributes:
  check_mode:
    description: Changes nothing, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
requirements:
  - apt
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Check that the index is not an old one
  oslab.kernel.apt_index:
    sha256: "{{ publish_result.index_sha256 }}"
    date: "{{ publish_result.index_date }}"
"""

RETURN = r"""
sha256:
  description: SHA-256 of the index that the target has.
  returned: success
  type: str
date:
  description: Its C(Date), in seconds since 1970 (UTC).
  returned: success
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_index
from ansible_collections.oslab.kernel.plugins.module_utils._repository import index


def argument_spec() -> dict[str, Any]:
    return {
        "source": {"type": "path", "default": "/etc/apt/sources.list.d/oslab-kernel.sources"},
        "sha256": {"type": "str", "required": True},
        "date": {"type": "int", "required": True},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        found = apt_index.check(
            module_runner(module),
            params["source"],
            index.Index(params["sha256"], params["date"]),
        )
    except index.IndexFileError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    module.exit_json(changed=False, sha256=found.sha256, date=found.date)


if __name__ == "__main__":
    main()
