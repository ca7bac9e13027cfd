#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_fetch
short_description: Download and verify a kernel's source
description:
  - Downloads C(linux-VERSION.tar.xz) from the first mirror that answers with the right bytes.
  - The file stands under its final name only once its checksum was found right.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  version:
    description: Version as kernel.org names it, such as V(6.8) or V(6.12.5).
    type: str
    required: true
  mirrors:
    description:
      - Base addresses (C(http), C(https) or C(file)), tried in this order. Each holds
        C(v6.x/linux-6.8.tar.xz) and so on, as kernel.org does.
    type: list
    elements: str
    required: true
  directory:
    description: Where the tarball is kept.
    type: path
    required: true
  sha256:
    description:
      - Checksum of the tarball. If empty, it is read from the mirror's own C(sha256sums.asc).
    type: str
    default: ""
  state:
    description:
      - V(present) downloads; V(offered) only asks whether a mirror has the version.
    type: str
    choices: [present, offered]
    default: present
  timeout:
    description: Seconds without an answer after which a mirror is given up.
    type: int
    default: 30
attributes:
  check_mode:
    description: Asks the mirrors, downloads nothing.
    support: full
  diff_mode:
    description: A tarball has no useful diff.
    support: none
"""

EXAMPLES = r"""
- name: Fetch Linux 6.8
  oslab.kernel.source_fetch:
    version: "6.8"
    mirrors: [https://cdn.kernel.org/pub/linux/kernel]
    directory: /var/lib/oslab-kernel/downloads
    sha256: c969dea4e8bb6be991bbf7c010ba0e0a5643a3a8d8fb0a2aaa053406f1e965f3
"""

RETURN = r"""
path:
  description: The tarball.
  returned: success
  type: str
sha256:
  description: Its checksum; empty in check mode where only the mirror could tell it.
  returned: success
  type: str
url:
  description: Where it came from (or would come from); empty if it was there already.
  returned: success
  type: str
attempts:
  description: The mirrors that failed, each with C(url) and C(error).
  returned: success
  type: list
  elements: dict
"""

from functools import partial
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url
from ansible_collections.oslab.kernel.plugins.module_utils import kernel_inputs, source_fetch


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "mirrors": {"type": "list", "elements": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "sha256": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "offered"], "default": "present"},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    problems = kernel_inputs.check_source_version(params["version"])
    if problems:
        module.fail_json(msg=problems[0])
    directory = Path(params["directory"])
    name = source_fetch.kernel_org_tarball(params["version"])
    opener = partial(open_url, timeout=params["timeout"])
    dest = directory / name
    try:
        if params["state"] == "offered" or module.check_mode:
            have = dest.is_file() and (
                not params["sha256"] or source_fetch.file_sha256(dest) == params["sha256"]
            )
            url = "" if have else source_fetch.find(params["mirrors"], params["version"], opener)
            module.exit_json(
                changed=params["state"] == "present" and not have,
                path=str(dest),
                sha256=params["sha256"],
                url=url,
                attempts=[],
            )
        directory.mkdir(parents=True, exist_ok=True)
        result = source_fetch.fetch(
            params["mirrors"], params["version"], directory, params["sha256"], opener
        )
    except source_fetch.FetchError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=result.changed,
        path=result.path,
        sha256=result.sha256,
        url=result.url,
        attempts=result.attempts,
    )


if __name__ == "__main__":
    main()
