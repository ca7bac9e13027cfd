#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write several small files of a host's configuration at once."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: config_files
short_description: Write and remove several small files of a host's configuration
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
description:
  - Does in one call what M(ansible.builtin.copy) and M(ansible.builtin.file) do in two or more for
    each file. On a fleet, that is most of the time of such a task.
  - A file is replaced in one step, and is on the disk then. A directory that it needs is made, with
    the mode 0755. A link stays, and what it points to is replaced.
options:
  files:
    description: The files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path of the file.
        type: path
        required: true
      content:
        description: Its content.
        type: str
        required: true
      mode:
        description: Its permissions, in octal.
        type: str
        required: true
      force:
        description: With V(false) a file that is there stays as it is.
        type: bool
        default: true
  absent:
    description: Paths of files that are removed.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Says what would be written and removed.
    support: full
  diff_mode:
    description: Shows the content of each file before and after, or its mode if only that differs.
    support: full
"""

EXAMPLES = r"""
- name: Write the settings of a program and of its service
  oslab.kernel.config_files:
    files:
      - path: /etc/example.conf
        content: "colour = blue\n"
        mode: "0644"
      - path: /etc/systemd/system/example.service
        content: "{{ lookup('ansible.builtin.template', 'example.service.j2') }}"
        mode: "0644"
    absent: [/etc/example.old]
"""

RETURN = r"""
paths:
  description: The files that were written or removed, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: [/etc/example.conf]
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._host.config_files import (
    ConfigFileError,
    Wanted,
    apply,
    differences,
)


class Quiet(AnsibleModule):
    """Logs no contents on the host: an address may hold a password."""

    def _log_invocation(self) -> None:
        self.log(f"Invoked for {', '.join(paths(self))}")


def paths(module: AnsibleModule) -> list[str]:
    return [*(one["path"] for one in module.params["files"]), *module.params["absent"]]


def wanted(module: AnsibleModule) -> list[Wanted]:
    found = []
    for one in module.params["files"]:
        try:
            mode = int(one["mode"], 8)
        except ValueError:
            module.fail_json(msg=f"mode of {one['path']} is {one['mode']!r}; give it in octal.")
        found.append(Wanted(Path(one["path"]), one["content"], mode, one["force"]))
    return found + [Wanted(Path(path), None, 0) for path in module.params["absent"]]


def argument_spec() -> dict[str, Any]:
    return {
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "path": {"type": "path", "required": True},
                "content": {"type": "str", "required": True},
                "mode": {"type": "str", "required": True},
                "force": {"type": "bool", "default": True},
            },
        },
        "absent": {"type": "list", "elements": "path", "default": []},
    }


def main() -> None:
    module = Quiet(argument_spec=argument_spec(), supports_check_mode=True)
    shown = {"module_args": {"paths": paths(module)}}
    try:
        found = differences(wanted(module))
        if not module.check_mode:
            apply(found)
    except ConfigFileError as error:
        module.fail_json(msg=str(error), invocation=shown)
    module.exit_json(
        changed=bool(found),
        invocation=shown,
        paths=[str(one.wanted.path) for one in found],
        diff=[one.diff for one in found],
    )


if __name__ == "__main__":
    main()
