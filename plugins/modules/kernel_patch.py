#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: syscalls, a system name and a boot message in a kernel's source tree."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_patch
short_description: Add syscalls, a system name and a boot message to a kernel's source tree
description:
  - Adds syscalls (table lines, prototypes, sources, Kconfig options), sets C(UTS_SYSNAME), adds a
    boot message to C(start_kernel()) and applies patches.
  - Always starts from the stock text of each file, kept in the tree's C(.oslab/pristine). A
    second run changes nothing; a run with other values leaves what a fresh one would.
  - Everything is computed before the first file is written, so a patch that does not apply or a
    syscall that the tree already has leaves the tree as it was. So does a patch whose
    C(oslab_count()) comes into another function than the patch names.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  tree:
    description: Directory of the unpacked source tree.
    type: path
    required: true
  sysname:
    description: Value of C(UTS_SYSNAME), 1 to 64 bytes. V(Linux) leaves the stock name.
    type: str
    default: Linux
  banner:
    description: Boot message, one kernel log line for each line. Empty for none.
    type: str
    default: ""
  syscalls:
    description: Syscalls to add.
    type: list
    elements: dict
    default: []
    suboptions: &syscall
      name:
        description: Name of the syscall, as in C(SYSCALL_DEFINEn(name, …)).
        type: str
        required: true
      source:
        description:
          - Path of the C source on the control node; it becomes C(kernel/) and its own name.
        type: path
        required: true
      file: &file
        description: Name and text of the source; the action plugin fills it in.
        type: dict
        suboptions:
          name: {description: File name., type: str, required: true}
          text: {description: Contents., type: str, required: true}
      kconfig:
        description:
          - Kconfig symbol that switches the syscall on. C(CONFIG_) before it is left out.
          - The tree must not have one of this name.
        type: str
        required: true
      number:
        description:
          - Number in the x86-64 table, up to 511.
          - V(auto) gives all such entries consecutive numbers, from the first run of free ones
            that starts at 462 or later.
        type: str
        default: auto
      depends:
        description: Kconfig expression that the symbol depends on.
        type: str
        default: ""
      help:
        description: Help text of the Kconfig symbol.
        type: str
        default: ""
      verify_call:
        description:
          - Whether the role C(verify) calls it. V(false) for a syscall that must not be called with
            arguments that are all 0.
        type: bool
        default: true
      own:
        description:
          - Whether its source is the user's. It is compiled first, then. The action plugin sets it
            to V(false) for the sources of this collection.
        type: bool
        default: true
  syscalls_extra:
    description: More syscalls, behind those of O(syscalls) and in their form.
    type: list
    elements: dict
    default: []
    suboptions: *syscall
  headers:
    description: Further files to add to the tree.
    type: list
    elements: dict
    default: []
    suboptions:
      source:
        description: Path of the file on the control node.
        type: path
        required: true
      file: *file
      dest:
        description: Path in the tree, which must not have such a file yet.
        type: str
        required: true
  patches:
    description:
      - Patches in the form of C(git format-patch), applied in this order. In a playbook each is
        a path on the control node, or has O(patches[].source) and O(patches[].sha256).
    type: list
    elements: dict
    default: []
    suboptions:
      source:
        description: Path of the patch on the control node, or its address.
        type: str
        required: true
      sha256:
        description: Checksum of the patch; required with an address.
        type: str
      file: *file
      own:
        description:
          - Whether the patch is the user's. One of this collection is applied without O(fuzz). The
            action plugin sets it.
        type: bool
        default: true
  fuzz:
    description:
      - How many lines at both ends of a patch's context may differ from the tree, in patches of the
        user's, as the option C(--fuzz) of C(patch) has it.
      - With V(0) each line has to be there, as C(git am) wants it. A piece whose context differs
        may be put into a wrong place without a word.
    type: int
    choices: [0, 1, 2]
    default: 0
  cache:
    description: Directory on the control node where patches from an address are kept.
    type: path
    default: ~/.cache/oslab-kernel/patches
attributes:
  check_mode:
    description: Reports the changes without making them.
    support: full
  diff_mode:
    description: Shows the changed lines of each file.
    support: full
requirements: [patch]
"""

EXAMPLES = r"""
- name: Rename the system and add one syscall
  oslab.kernel.kernel_patch:
    tree: /usr/src/linux-6.8
    sysname: My Linux
    syscalls:
      - name: get_answer
        source: /root/get_answer.c
        kconfig: GET_ANSWER
"""

RETURN = r"""
changed_files:
  description: Paths in the tree that were (in check mode would be) written or removed.
  returned: success
  type: list
  elements: str
syscalls:
  description: Number of each added syscall in the x86-64 table.
  returned: success, when the tree exists
  type: dict
  sample: {capture_memory_snapshot: 462}
sha256:
  description: Hash over all files as they are wanted.
  returned: success, when the tree exists
  type: str
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._patch import apply, inputs
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

FILE_SPEC = {
    "type": "dict",
    "options": {
        "name": {"type": "str", "required": True},
        "text": {"type": "str", "required": True},
    },
}

SYSCALLS_SPEC = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "source": {"type": "path", "required": True},
        "file": FILE_SPEC,
        "kconfig": {"type": "str", "required": True},
        "number": {"type": "str", "default": "auto"},
        "depends": {"type": "str", "default": ""},
        "help": {"type": "str", "default": ""},
        "verify_call": {"type": "bool", "default": True},
        # Known where the sources are: on the control node.
        "own": {"type": "bool", "default": True},
    },
}


def _plan(params: dict) -> apply.Plan:
    syscalls = [
        apply.Syscall(
            name=entry["name"],
            source=entry["file"]["name"],
            text=entry["file"]["text"],
            kconfig=inputs.plain_symbols(entry["kconfig"]),
            number=None if entry["number"] == "auto" else int(entry["number"]),
            depends=inputs.plain_symbols(" ".join(entry["depends"].split())),
            help=entry["help"],
            own=entry["own"],
            called=entry["verify_call"],
            where=f"patch_{option}[{index}]",
        )
        for option in ("syscalls", "syscalls_extra")
        for index, entry in enumerate(params[option])
    ]
    return apply.Plan(
        sysname=params["sysname"],
        banner=params["banner"],
        syscalls=syscalls,
        headers={entry["dest"]: entry["file"]["text"] for entry in params["headers"]},
        patches=[
            apply.PatchFile(entry["file"]["name"], entry["file"]["text"], entry["own"])
            for entry in params["patches"]
        ],
        fuzz=params["fuzz"],
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "tree": {"type": "path", "required": True},
            "sysname": {"type": "str", "default": "Linux"},
            "banner": {"type": "str", "default": ""},
            "syscalls": SYSCALLS_SPEC,
            "syscalls_extra": SYSCALLS_SPEC,
            "headers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "source": {"type": "path", "required": True},
                    "file": FILE_SPEC,
                    "dest": {"type": "str", "required": True},
                },
            },
            "patches": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "source": {"type": "str", "required": True},
                    "sha256": {"type": "str"},
                    "file": FILE_SPEC,
                    "own": {"type": "bool", "default": True},
                },
            },
            "fuzz": {"type": "int", "choices": [0, 1, 2], "default": 0},
            # Read by the action plugin, which runs where the cache is.
            "cache": {"type": "path", "default": "~/.cache/oslab-kernel/patches"},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    params = module.params
    problems = (
        inputs.check_sysname(params["sysname"])
        + inputs.check_banner(params["banner"])
        + inputs.check_syscalls(params["syscalls"], params["syscalls_extra"])
    )
    if problems:
        module.fail_json(msg=plain_text.wrapped("\n".join(problems)))
    tree = Path(params["tree"])
    if not tree.is_dir():
        if module.check_mode:
            module.exit_json(
                changed=True, changed_files=[], msg=f"{tree} would be patched once it is unpacked"
            )
        module.fail_json(msg=f"patch_tree: {tree} is not there; run the role source first")

    try:
        outcome = apply.apply(tree, _plan(params), module_runner(module), check=module.check_mode)
    except apply.EditError as error:
        module.fail_json(msg=plain_text.wrapped(str(error)))
    module.exit_json(
        changed=bool(outcome.changed),
        changed_files=outcome.changed,
        syscalls=outcome.state["syscalls"],
        sha256=outcome.state["sha256"],
        diff={
            "before_header": str(tree),
            "after_header": str(tree),
            "before": outcome.before,
            "after": outcome.after,
        },
    )


if __name__ == "__main__":
    main()
