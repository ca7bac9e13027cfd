#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the GRUB entry of a kernel release as the default, or for the next boot only."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grub_entry
short_description: Choose the kernel that GRUB boots, once or by default
version_added: 0.1.0
description:
  - Finds the menu entry of a kernel release in C(grub.cfg) by its id, never by its title or
    position, and puts it into GRUB's environment block.
  - What was written is read back. An entry that does not exist is refused, and so is a choice that
    this C(grub.cfg) or this disk would not honour.
options:
  release:
    description:
      - Kernel release, as C(uname -r) prints it. Its usual entry is meant, not the recovery one.
      - Needed by O(state=default) and O(state=once).
    type: str
  state:
    description:
      - V(present) changes nothing; it fails if there is no entry for O(release).
      - V(default) makes it the saved default. C(grub.cfg) has to be made with
        C(GRUB_DEFAULT=saved).
        A new default ends a trial that was asked for, and what it put into O(custom).
      - V(once) boots it the next time only.
      - V(cancelled) takes back what V(once) asked for, if the host has not booted since.
      - V(unset) leaves no default and no one-shot entry.
    type: str
    choices: [present, default, once, cancelled, unset]
    default: present
  arguments:
    description:
      - With O(state=once), more arguments for the kernel, of this boot alone. They need an entry of
        their own, which is put into O(custom). Where it cannot load the kernel or the initrd, it
        starts the machine again instead of waiting for a key.
    type: list
    elements: str
    default: []
  config:
    description: GRUB's configuration.
    type: path
    default: /boot/grub/grub.cfg
  environment:
    description: GRUB's environment block.
    type: path
    default: /boot/grub/grubenv
  custom:
    description:
      - Where C(41_custom) lets O(config) look for entries. What others have put there stays.
    type: path
    default: /boot/grub/custom.cfg
  settle:
    description:
      - With O(state=once) and O(state=default), freeze the filesystem of O(environment) for a
        moment before the entry is chosen. GRUB reads no journal, and would not find after a power
        cut what is in there alone.
    type: bool
    default: true
attributes:
  check_mode:
    description: >-
      Nothing is written. An entry or setting that does not exist yet counts as a change with
      O(state=default) and O(state=once), since an earlier step would have made it.
    support: full
  diff_mode:
    description: Shows the variables of the environment block, and O(custom).
    support: full
requirements:
  - grub-editenv
  - grub-probe
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Try a kernel once
  oslab.kernel.grub_entry:
    release: 6.8.0-49-usac1
    state: once
    arguments: [panic=10]

- name: Keep it
  oslab.kernel.grub_entry:
    release: 6.8.0-49-usac1
    state: default
"""

RETURN = r"""
entry:
  description: Path of ids of the entry; empty if there is none or no O(release) was given.
  returned: success
  type: str
  sample: gnulinux-advanced-0f1e>gnulinux-6.8.0-49-usac1-advanced-0f1e
releases:
  description: Releases that have an entry, in menu order.
  returned: success
  type: list
  elements: str
saved_entry:
  description: GRUB's saved default, after this task.
  returned: success
  type: str
saved_release:
  description: Release that the saved default boots; empty if no entry has that path.
  returned: success
  type: str
next_entry:
  description: GRUB's one-shot entry, after this task.
  returned: success
  type: str
honours_saved:
  description: Whether C(grub.cfg) boots the saved default.
  returned: success
  type: bool
reads_custom:
  description: Whether C(grub.cfg) reads O(custom).
  returned: success
  type: bool
read_only:
  description: Why GRUB cannot write its environment block; empty if it can.
  returned: success
  type: str
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils import grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils.grub_entry import (
    GrubError,
    State,
    read_state,
    require_entry,
    require_working,
    wanted_custom,
    wanted_variables,
    write_variables,
)
from ansible_collections.oslab.kernel.plugins.module_utils.settled import settle

SHOWN = ("saved_entry", "next_entry")


def argument_spec() -> dict[str, Any]:
    return {
        "release": {"type": "str"},
        "state": {
            "type": "str",
            "choices": ["present", "default", "once", "cancelled", "unset"],
            "default": "present",
        },
        "arguments": {"type": "list", "elements": "str", "default": []},
        "config": {"type": "path", "default": "/boot/grub/grub.cfg"},
        "environment": {"type": "path", "default": "/boot/grub/grubenv"},
        "custom": {"type": "path", "default": "/boot/grub/custom.cfg"},
        "settle": {"type": "bool", "default": True},
    }


def write_custom(state: State, config: str, custom: str, text: str) -> None:
    if text != state.custom:
        mode = Path(config).stat().st_mode & 0o777 | 0o200
        grub_trial.write(Path(custom), text, mode)


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "default", ("release",)), ("state", "once", ("release",))],
        supports_check_mode=True,
    )
    params = module.params
    kind, release, arguments = params["state"], params["release"], params["arguments"]
    config, environment, custom = params["config"], params["environment"], params["custom"]
    foretell = module.check_mode and kind != "present"

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        # These live in sbin, which a remote user's PATH may lack.
        program = module.get_bin_path(command[0], opt_dirs=["/usr/sbin", "/sbin"], required=True)
        return module.run_command([program, *command[1:]])

    try:
        state = read_state(run, config, environment, custom)
        entry = state.menu.find(release) if foretell else None
        if release and not foretell:
            entry = require_entry(state, config, release)
        if not foretell:
            require_working(state, config, kind, arguments)
        path = entry.path if entry else ""
        chosen = grub_trial.ID if kind == "once" and arguments else path
        changes = (
            {}
            if kind == "present"
            else wanted_variables(state, kind, chosen or f"(the entry of {release})")
        )
        text = wanted_custom(state, kind, entry, arguments)
        if not module.check_mode:
            # The entry is there before it is chosen, and until another one is.
            if kind == "once":
                write_custom(state, config, custom, text)
            # What GRUB is told to boot has to be there for it, whatever happens next.
            if changes and kind in ("once", "default") and params["settle"]:
                settle(Path(environment).parent)
            if changes:
                write_variables(run, state, environment, changes)
            if kind != "once":
                write_custom(state, config, custom, text)
    except GrubError as error:
        module.fail_json(msg=str(error))
    after = {**state.environment, **changes}
    module.exit_json(
        changed=bool(changes) or text != state.custom,
        entry=path,
        releases=state.menu.releases(),
        saved_entry=after.get("saved_entry", ""),
        saved_release=state.menu.release_of(after.get("saved_entry", "")),
        next_entry=after.get("next_entry", ""),
        honours_saved=state.menu.honours_saved,
        reads_custom=state.menu.reads_custom,
        read_only=state.read_only,
        diff=[
            {
                "before_header": environment,
                "before": "".join(f"{k}={state.environment.get(k, '')}\n" for k in SHOWN),
                "after_header": environment,
                "after": "".join(f"{k}={after.get(k, '')}\n" for k in SHOWN),
            },
            {
                "before_header": custom,
                "before": state.custom,
                "after_header": custom,
                "after": text,
            },
        ],
    )


if __name__ == "__main__":
    main()
