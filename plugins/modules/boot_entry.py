#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the boot loader's entry of a kernel as the default, or for the next boot only."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_entry
short_description: Choose the kernel that the boot loader starts, once or by default
version_added: 0.1.0
description:
  - Finds the entry of a kernel release, never by its title or position, and tells the loader to
    boot it; with GRUB in its environment block, with systemd-boot in variables of the firmware.
  - Where GRUB cannot write its environment block (on LVM, RAID, btrfs or ZFS), the default is
    pinned by C(oslab-kernel.cfg) in the directory of O(settings), and kexec boots a kernel once.
  - What was written is read back. An entry that does not exist is refused, and so is a choice that
    this loader, as it is configured, or this disk would not honour.
options:
  release:
    description:
      - Kernel release, as C(uname -r) prints it. Its usual entry is meant, not the recovery one.
      - Needed by O(state=default) and O(state=once).
    type: str
  state:
    description:
      - V(present) changes nothing; it fails if there is no entry for O(release).
      - V(default) makes it the default. With GRUB, C(oslab-kernel.cfg) in the directory of
        O(settings) has C(GRUB_DEFAULT=saved), or the entry where GRUB cannot write its
        environment block. If that or O(config) is not so, the file is written, O(config) is made
        again by C(grub-mkconfig), and takes the place of the old one when it boots that default.
        An entry of systemd-boot whose boots are counted is called good.
        A new default cancels a trial boot that was asked for, and removes its entry. If
        O(release) runs and the loader has started it from an entry of its own, with other
        arguments than the usual one, that entry becomes the default.
      - V(once) boots it the next time only.
      - V(cancelled) takes back what V(once) asked for, if the host has not booted since.
      - V(unset) leaves no default and no one-shot entry.
      - V(restored) makes O(entry) the default if the loader has it, and else leaves the present
        one, if the loader has that. There is no one-shot entry then.
    type: str
    choices: [present, default, once, cancelled, unset, restored]
    default: present
  entry:
    description:
      - With O(state=restored), the default as RV(default_entry) was before; empty for none.
      - With GRUB by ids, titles or positions, with systemd-boot the name of a file or a pattern.
    type: str
    default: ""
  arguments:
    description:
      - With O(state=once), more arguments for the kernel, of this boot alone. They need an entry of
        their own.
      - With GRUB that is put into O(custom). Where it cannot load the kernel or the initrd, it
        starts the machine again instead of waiting for a key.
      - With systemd-boot it is C(oslab-trial+1.conf) in C(loader/entries), which is made without
        arguments, too. It has one try, and systemd is configured not to mark its boot as good, so
        that it is never chosen twice and never by itself.
    type: list
    elements: str
    default: []
  flush:
    description:
      - With O(state=once) and O(state=default), flush the kernel to the disk, where the loader can
        read it, before it is chosen, and with GRUB the choice as well before the module ends.
        Where the file system has a journal, which loaders do not read, it is frozen for a moment.
    type: bool
    default: true
extends_documentation_fragment:
  - oslab.kernel.boot_loader
attributes:
  check_mode:
    description: >-
      Nothing is written. An entry or setting that does not exist yet counts as a change with
      O(state=default) and O(state=once), since an earlier step would have made it.
    support: full
  diff_mode:
    description: >-
      Shows the configured choice of the loader, the file with the entry of a trial, and the
      settings.
    support: full
  action:
    description: Has a corresponding action plugin, which makes texts safe to print.
    support: full
requirements:
  - grub-editenv, grub-probe and grub-mkconfig, with GRUB
  - bootctl, with systemd-boot
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Try a kernel once
  oslab.kernel.boot_entry:
    release: 6.8.0-49-usac1
    state: once
    arguments: [panic=10]

- name: Make a kernel the default
  oslab.kernel.boot_entry:
    release: 6.8.0-49-usac1
    state: default
"""

RETURN = r"""
loader:
  description: The boot loader that was looked at.
  returned: success
  type: str
  sample: grub
entry:
  description: >-
    The entry of O(release); empty if there is none or no O(release) was given. With GRUB it is the
    path of its ids, with systemd-boot the name of its file.
  returned: success
  type: str
  sample: gnulinux-advanced-0f1e>gnulinux-6.8.0-49-usac1-advanced-0f1e
options:
  description: >-
    What the entry of O(release) tells the kernel; empty with GRUB, which takes that from its own
    settings.
  returned: success
  type: str
releases:
  description: >-
    Releases that have an entry, the newest first; with GRUB in the order of its menu, which is the
    same unless somebody changed it.
  returned: success
  type: list
  elements: str
default_entry:
  description: The configured default of the loader after this task.
  returned: success
  type: str
default_release:
  description: Release that it boots; empty if there is no such entry.
  returned: success
  type: str
next_entry:
  description: The loader's one-shot entry, after this task.
  returned: success
  type: str
honours_default:
  description: Whether the loader boots the configured default.
  returned: success
  type: bool
default_problem:
  description: >-
    Which file keeps GRUB from the configured default, though
    C(/etc/default/grub.d/oslab-kernel.cfg) sets C(GRUB_DEFAULT), and what to do about it;
    empty if none does. It is read as C(grub-mkconfig) would read it after that file was written.
  returned: success
  type: str
trial_problem:
  description: >-
    Why the loader could not boot a kernel once and then the default again, and what to do about
    it; empty if it could. GRUB has to be able to write its environment block and to read O(custom)
    (or else kexec has to be possible, see RV(needs_kexec)),
    systemd-boot to take a choice for one boot and to count, and the ESP and the firmware's
    variables have to be writable.
  returned: success
  type: str
needs_kexec:
  description: Why kexec has to start a trial boot, as the loader boots none once; empty if it does.
  returned: success
  type: str
entry_problems:
  description: >-
    For each of RV(releases) that could not become the default: why, and what to do about it. GRUB
    with a password asks for a user name before an entry, or a submenu around it, that is not
    C(--unrestricted), the default too. Such an entry is refused by O(state=default) and
    O(state=once).
  returned: success
  type: dict
entry_command:
  description: What makes the entry of O(release), or of any, which is then called C(RELEASE).
  returned: success
  type: str
  sample: update-grub
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._boot import loaders
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    Choice,
    LoaderError,
    Request,
)


def argument_spec() -> dict[str, Any]:
    return {
        "release": {"type": "str"},
        "state": {
            "type": "str",
            "choices": ["present", "default", "once", "cancelled", "unset", "restored"],
            "default": "present",
        },
        "entry": {"type": "str", "default": ""},
        "arguments": {"type": "list", "elements": "str", "default": []},
        "flush": {"type": "bool", "default": True},
        **loaders.argument_spec(),
    }


def choices(choice: Choice) -> str:
    return f"default_entry={choice.default_entry}\nnext_entry={choice.next_entry}\n"


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "default", ("release",)), ("state", "once", ("release",))],
        supports_check_mode=True,
    )
    params = module.params
    request = Request(
        state=params["state"],
        release=params["release"] or "",
        arguments=params["arguments"],
        flush=params["flush"],
        predict=module.check_mode,
        entry=params["entry"],
    )
    try:
        loader = loaders.loader(module)
        plan = loader.plan(request)
        if not module.check_mode:
            for step in plan.steps:
                step()
    except (LoaderError, OSError) as error:
        module.fail_json(msg=str(error))
    default = plan.after.default_entry
    module.exit_json(
        changed=bool(plan.steps),
        loader=loader.name,
        entry=plan.entry,
        options=plan.options,
        releases=loader.releases(),
        default_entry=default,
        default_release=(
            request.release if plan.entry and default == plan.entry else loader.release_of(default)
        ),
        next_entry=plan.after.next_entry,
        honours_default=loader.honours_default,
        default_problem=loader.default_problem,
        trial_problem=loader.trial_problem,
        needs_kexec=loader.needs_kexec,
        entry_problems={
            release: problem
            for release in loader.releases()
            for problem in [loader.entry_problem(release)]
            if problem
        },
        entry_command=loader.entry_command(request.release or "RELEASE"),
        diff=[
            {
                "before_header": f"{loader.name}: {name}",
                "after_header": f"{loader.name}: {name}",
                "before": before,
                "after": after,
            }
            for name, before, after in (
                ("choices", choices(plan.before), choices(plan.after)),
                ("trial", plan.before.trial, plan.after.trial),
                ("settings", plan.before.settings, plan.after.settings),
            )
        ],
    )


if __name__ == "__main__":
    main()
