#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: whether anything changed since a builder's build was published."""

from __future__ import annotations

DOCUMENTATION = r"""
module: build_stamp
short_description: Find out whether anything changed since a build was published
version_added: 0.3.0
description:
  - One question replaces the tasks of the builder's roles in a run that would change nothing.
  - With O(state=checked), compares all inputs and the state of the files that the roles wrote with
    the stamp of the last complete run. A stamp that does not hold is removed, except in check mode.
  - With O(state=written), writes that stamp, at the end of a complete run.
  - With O(state=renewed), records the state of O(shared) in that stamp again, after other builders
    of the same machine have published.
  - Inputs are the variables of the builder's roles, the files on the control node that they name,
    the collection itself, the names of the targets, the installed packages and the programs in
    C(PATH). The state of a file is what C(stat) says of it. The web server has to answer with the
    published description.
  - Neither counts as a change.
options:
  path:
    description: The file of the stamp. It counts only if nobody but its user can write to it.
    type: path
    required: true
  state:
    description: Whether to compare the stamp, or to write it.
    type: str
    choices: [checked, written, renewed]
    default: checked
  inputs:
    description: RV(inputs) of the comparison, if the stamp is written.
    type: str
    default: ""
  reason:
    description: Why the roles have to run although no input changed. The action plugin sets it.
    type: str
    default: ""
  tree:
    description: The kernel's tree, of which the files that the roles write are watched.
    type: path
  watched:
    description: Other paths that are watched, and all below them.
    type: list
    elements: path
    default: []
  patterns:
    description: The same, with wildcards.
    type: list
    elements: str
    default: []
  shared:
    description: More paths that are watched, which builders of one machine share.
    type: list
    elements: path
    default: []
  directories:
    description: >-
      Directories that nobody else may write to, by the names of their variables. The stamp does not
      hold where others can write to something in them.
    type: dict
    default: {}
  user:
    description: >-
      To whom O(tree) and the first of O(directories) belong, C(build_user). The directory of
      O(path) must not be that user's. Empty for the user who runs the module.
    type: str
    default: ""
  published:
    description: >-
      The published description. Nothing is recorded if it does not have the C(build_id) of
      C(publish_result) in the facts, as another run has published meanwhile.
    type: path
  keep:
    description: >-
      Leave a stamp that does not hold, as no role of the builder runs. The action plugin sets it.
    type: bool
    default: false
  server:
    description: The web server of the builder; not set if there is none.
    type: dict
    suboptions:
      url:
        description: What it is asked for, without a proxy.
        type: str
        required: true
      file:
        description: The file with the content that it has to answer.
        type: path
        required: true
  facts:
    description: Facts of the run, for runs in which the stamp holds.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would otherwise.
    support: full
  diff_mode:
    description: Returns details on what has changed.
    support: none
  action:
    description: Has a corresponding action plugin, which makes the checksum over the inputs.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Find out whether the published build is current
  oslab.kernel.build_stamp:
    path: /var/lib/oslab-kernel/build-stamp.json
  register: build

- name: Record the published build
  oslab.kernel.build_stamp:
    path: /var/lib/oslab-kernel/build-stamp.json
    state: written
    inputs: "{{ build.inputs }}"
    tree: /var/lib/oslab-kernel/trees/kernel_org-6.8/linux
    watched: [/var/lib/oslab-kernel/repository/public]
    facts:
      build_result: "{{ build_result }}"
"""

RETURN = r"""
current:
  description: Whether nothing changed.
  returned: O(state=checked)
  type: bool
reason:
  description: What changed first; empty if nothing did.
  returned: O(state=checked)
  type: str
facts:
  description: The facts of the last complete run; empty unless the stamp holds.
  returned: O(state=checked)
  type: dict
inputs:
  description: The checksum over the inputs; empty if a run with these has to execute the roles.
  returned: success
  type: str
machine:
  description: >-
    The id of the machine's boot: the same for all names that it has in the inventory. Empty if it
    is not known.
  returned: O(state=checked)
  type: str
"""

import contextlib
import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import stamp
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, json_file
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def argument_spec() -> dict[str, Any]:
    return {
        "path": {"type": "path", "required": True},
        "state": {
            "type": "str",
            "choices": ["checked", "written", "renewed"],
            "default": "checked",
        },
        "inputs": {"type": "str", "default": ""},
        "tree": {"type": "path"},
        "watched": {"type": "list", "elements": "path", "default": []},
        "shared": {"type": "list", "elements": "path", "default": []},
        "patterns": {"type": "list", "elements": "str", "default": []},
        "directories": {"type": "dict", "default": {}},
        "user": {"type": "str", "default": ""},
        "published": {"type": "path"},
        "keep": {"type": "bool", "default": False},
        "server": {
            "type": "dict",
            "options": {
                "url": {"type": "str", "required": True},
                "file": {"type": "path", "required": True},
            },
        },
        "facts": {"type": "dict", "default": {}},
        "reason": {"type": "str", "default": ""},
    }


def _check(module: AnsibleModule, path: Path, search_path: str) -> dict[str, Any]:
    inputs, reason = module.params["inputs"], module.params["reason"]
    found = stamp.read(path)
    reason = reason or stamp.outdated(found, inputs, search_path)
    if reason and not module.check_mode and not module.params["keep"]:
        # What the roles do next must not be taken for the recorded state if they fail.
        with contextlib.suppress(OSError):  # not there, or the roles fail with the same error
            path.unlink()
    facts = found["facts"] if found and not reason else {}
    return {
        "current": not reason,
        "reason": reason,
        "facts": facts,
        "inputs": inputs,
        "machine": _machine(),
    }


def _machine() -> str:
    try:
        return bounded_read.text(BOOT_ID, 1 << 10).strip()
    except OSError:
        return ""


def _other_build(published: str, facts: Mapping[str, Any]) -> bool:
    """Whether something else is published than the facts say."""
    if not published:
        return False
    found = description.kernels(json_file.read(Path(published)) or {})
    expected = facts.get("publish_result") or {}
    return expected.get("build_id") not in [entry.get("build_id") for entry in found.values()]


def _renew(module: AnsibleModule, path: Path, _search_path: str) -> dict[str, Any]:
    """Of a builder without a stamp, or whose build is not the published one, there is nothing."""
    found = stamp.read(path)
    if found and not module.check_mode:
        if _other_build(module.params["published"] or "", found["facts"]):
            path.unlink()
        else:
            json_file.write(path, stamp.renewed(found), 0o600, durable=False)
    return {"inputs": ""}


def _write(module: AnsibleModule, path: Path, search_path: str) -> dict[str, Any]:
    params = module.params
    if _other_build(params["published"] or "", params["facts"]):
        module.warn("Another run has published meanwhile: the next run checks the builder again.")
        return {"inputs": params["inputs"]}
    tree = stamp.tree_paths(Path(params["tree"])) if params["tree"] else []
    shared = [glob.escape(one) for one in params["shared"] if one]
    watched = [glob.escape(one) for one in params["watched"] if one] + shared
    made = stamp.make(
        params["inputs"],
        [*watched, *params["patterns"], *tree],
        {name: str(Path(one).expanduser()) for name, one in params["directories"].items()},
        search_path,
        params["server"] or {},
        params["facts"],
        shared=shared,
        tree=params["tree"] or "",
        user=params["user"],
    )
    if not module.check_mode:
        workdir.make(path.parent)
        # Facts may name what only root can read otherwise.
        json_file.write(path, made, 0o600, durable=False)
    return {"inputs": params["inputs"]}


STATES = {"checked": _check, "written": _write, "renewed": _renew}


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    path, search_path = Path(module.params["path"]), os.environ.get("PATH", os.defpath)
    act = STATES[module.params["state"]]
    if module.params["user"]:
        try:
            workdir.check(path.parent, "build_state_dir", os.geteuid())
        except workdir.WorkdirError as error:
            module.fail_json(msg=str(error))
    try:
        result = act(module, path, search_path)
    except (OSError, stamp.StampError) as error:
        # What was built and published is good all the same.
        module.warn(
            f"The state of the builder was not recorded, so the next run checks it: {error}"
        )
        result = {"inputs": module.params["inputs"]}
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
