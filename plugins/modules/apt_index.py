#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: is the index that apt has fetched the one that was published? Or remove it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_index
short_description: Check that a target has the repository's current index, or remove it
version_added: 0.2.0
description:
  - apt takes any index with a good signature, however old. This compares the one that apt fetched
    last with the one that was published. It has to be that very file or one of a later date,
    since somebody may have published again meanwhile.
  - Fails if it is older. With O(state=current) nothing is changed.
options:
  source:
    description: The source file of apt's that names this repository and no other.
    type: path
    default: /etc/apt/sources.list.d/oslab-kernel.sources
  state:
    description: >-
      V(current) compares the index. V(absent) removes it, and the packages of the collection from
      apt's cache; O(source) is still needed for that.
    type: str
    choices: [current, absent]
    default: current
  sha256:
    description: SHA-256 of the C(InRelease) that was published. Needed for O(state=current).
    type: str
  date:
    description: Its C(Date), in seconds since 1970 (UTC). Needed for O(state=current).
    type: int
  packages:
    description:
      - SHA-256 that packages have to have, each as C(name=version). Fails if the index that apt has
        names another one, or none.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Predicts whether files would be removed.
    support: full
  diff_mode:
    description: Shows nothing.
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

- name: Remove the index
  oslab.kernel.apt_index:
    state: absent
"""

RETURN = r"""
sha256:
  description: SHA-256 of the index that the target has.
  returned: O(state=current)
  type: str
date:
  description: Its C(Date), in seconds since 1970 (UTC).
  returned: O(state=current)
  type: int
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_index
from ansible_collections.oslab.kernel.plugins.module_utils._repository import index


def argument_spec() -> dict[str, Any]:
    return {
        "source": {"type": "path", "default": "/etc/apt/sources.list.d/oslab-kernel.sources"},
        "state": {"choices": ["current", "absent"], "default": "current", "type": "str"},
        "sha256": {"type": "str"},
        "date": {"type": "int"},
        "packages": {"type": "dict", "default": {}},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "current", ("sha256", "date"))],
        supports_check_mode=True,
    )
    params = module.params
    run = module_runner(module)
    try:
        if params["state"] == "absent":
            files = apt_index.files(run, Path(params["source"]))
            for file in [] if module.check_mode else files:
                file.unlink(missing_ok=True)
            module.exit_json(changed=bool(files))
        found = apt_index.check(
            run,
            params["source"],
            index.Index(params["sha256"], params["date"]),
        )
        apt_index.check_packages(run, params["packages"])
    except index.IndexFileError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    module.exit_json(changed=False, sha256=found.sha256, date=found.date)


if __name__ == "__main__":
    main()
