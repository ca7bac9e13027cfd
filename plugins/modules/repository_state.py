#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what a repository tells of its last publication."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repository_state
short_description: Read what was published last, and the key that signed it
version_added: 0.2.0
description:
  - Reads, on the builder, the description, the public key and the index in C(root)/public, and
    checks that they belong together. The key must be the only one in its file, the one that the
    description names, and the one that signed the index. Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
options:
  root:
    description: Root directory of the repository.
    type: path
    required: true
  kernel:
    description: Name of the builder. What another builder has published is not returned.
    type: str
    default: ""
  rank:
    description: Which of the builders this is, as in M(oslab.kernel.repository_description).
    type: str
    choices: [only, first, other]
    default: only
  check:
    description:
      - Fail if the files do not belong together. Otherwise RV(problem) tells of it.
    type: bool
    default: true
requirements:
  - gpg
  - gpgv
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read what was published last
  oslab.kernel.repository_state:
    root: /var/lib/oslab-kernel/repository
  register: repository
"""

RETURN = r"""
traces:
  description: Files that tell that something was published; none on an untouched builder.
  returned: success
  type: list
  elements: str
description:
  description:
    - The description (C(oslab-kernel.json)) of this kernel, with C(index_sha256) and C(index_date)
      of the index that is served, and the C(attestations) of the build if any are published; empty
      if this kernel is not published.
  returned: success
  type: dict
public_key:
  description: The public key, ASCII-armoured; empty if nothing is published.
  returned: success
  type: str
key_fingerprint:
  description: Fingerprint of that key, or the one that the index names; empty if it is not known.
  returned: success
  type: str
key_unknown:
  description: Whether something was published and nothing tells by which key.
  returned: success
  type: bool
problem:
  description: Why the files do not belong together; empty if they do.
  returned: success
  type: str
"""

import dataclasses
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    state as repository_state,
)


def argument_spec() -> dict[str, Any]:
    return {
        "root": {"type": "path", "required": True},
        "kernel": {"type": "str", "default": ""},
        "rank": {"type": "str", "choices": list(description.RANKS), "default": description.ONLY},
        "check": {"type": "bool", "default": True},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    root = Path(module.params["root"])
    try:
        state = repository_state.read(
            module_runner(module), root, module.params["kernel"], module.params["rank"]
        )
    except OSError as error:
        module.fail_json(msg=f"{error.filename or root} cannot be read: {error.strerror}")
    if state.problem and module.params["check"]:
        module.fail_json(
            msg=f"What is published in {root} does not belong together: {state.problem}. Publish "
            "again (playbooks/build.yml), or restore the directory from a backup."
        )
    module.exit_json(changed=False, **dataclasses.asdict(state))


if __name__ == "__main__":
    main()
