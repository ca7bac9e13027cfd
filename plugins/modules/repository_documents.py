#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the documents that stand beside a repository's index."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repository_documents
short_description: Publish documents beside the index of a repository
version_added: 0.2.0
description:
  - Writes files below a directory that a web server serves, in the order in which they are given,
    each by a rename once its content is on the disk. Files have mode 0644, directories 0755.
options:
  directory:
    description: The directory that is served; it is there already.
    type: path
    required: true
  documents:
    description: The documents. What names others comes last.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Path below O(directory).
        type: str
        required: true
      content:
        description: The text.
        type: str
      json:
        description: Instead of O(documents[].content), data to be written as JSON.
        type: dict
      src:
        description: Instead of O(documents[].content), a file on the same host.
        type: path
      sha256:
        description: SHA-256 that O(documents[].src) has to have.
        type: str
  absent:
    description: Paths below O(directory) that are removed.
    type: list
    elements: str
    default: []
  owner:
    description: >-
      User to whom each O(documents[].src) has to belong, if that user has named it. Empty for
      anybody.
    type: str
    default: ""
attributes:
  check_mode:
    description: Nothing is written or removed. A file that is not there yet counts as changed.
    support: full
  diff_mode:
    description: Shows the names of what changes.
    support: partial
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Publish the public key and the description
  oslab.kernel.repository_documents:
    directory: /var/lib/oslab-kernel/repository/public
    documents:
      - name: oslab-kernel.asc
        content: "{{ key }}"
      - name: oslab-kernel.json
        json:
          release: 6.8.0-49-usac1
"""

RETURN = r"""
names:
  description: What was written or removed, directories among it.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import owned_file
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    documents as repository_documents,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import errors


def argument_spec() -> dict[str, Any]:
    return {
        "directory": {"type": "path", "required": True},
        "documents": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "content": {"type": "str"},
                "json": {"type": "dict"},
                "src": {"type": "path"},
                "sha256": {"type": "str"},
            },
            "mutually_exclusive": [["content", "json", "src"]],
            "required_one_of": [["content", "json", "src"]],
        },
        "absent": {"type": "list", "elements": "str", "default": []},
        "owner": {"type": "str", "default": ""},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    directory = Path(module.params["directory"])
    entries = [
        entry
        for entry in module.params["documents"]
        # The build that it is of may not have been made.
        if not (module.check_mode and entry["src"] and not Path(entry["src"]).exists())
    ]
    try:
        owner = owned_file.uid_of(module.params["owner"])
        documents = [repository_documents.document(entry, owner) for entry in entries]
        names = repository_documents.bring(
            directory, documents, module.params["absent"], module.check_mode
        )
    except repository_documents.DocumentError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=errors.sentence(error, directory))
    module.exit_json(
        changed=bool(names) or len(entries) < len(module.params["documents"]),
        names=names,
        diff={"before": "", "after": "".join(f"{name}\n" for name in names)},
    )


if __name__ == "__main__":
    main()
