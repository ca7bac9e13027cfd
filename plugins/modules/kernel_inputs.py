#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: refuse bad names, texts and numbers before anything is done."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_inputs
short_description: Refuse bad names, texts and numbers before anything is done
description:
  - Checks what the user asked for against the kernel's and Debian's rules and fails with one
    message that names every variable that is wrong and what it may be.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  source_version:
    description: Version of the kernel.
    type: str
  extraversion:
    description: C(EXTRAVERSION) of the Makefile.
    type: str
  kernelversion:
    description:
      - C(VERSION.PATCHLEVEL.SUBLEVEL) of the tree, when it is there; that of a release candidate
        ends in C(-rcN). The whole release is checked then.
    type: str
    default: ""
  release:
    description: The whole release, when it is known.
    type: str
  sysname:
    description: C(UTS_SYSNAME).
    type: str
  banner:
    description: The boot message.
    type: str
  syscalls:
    description: The syscalls to add, as the role C(patch) takes them.
    type: list
    elements: dict
  syscalls_extra:
    description: More syscalls, behind those of O(syscalls).
    type: list
    elements: dict
  patches:
    description:
      - The patches to apply, as the role C(patch) takes them. Files with an absolute path are
        read, and compared with their checksum if one is given.
    type: list
    elements: raw
attributes:
  check_mode:
    description: Reads only; runs in check mode too.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
  action:
    description: Has a corresponding action plugin, which asks once for hosts with the same options.
    support: full
"""

EXAMPLES = r"""
- name: Check the names
  oslab.kernel.kernel_inputs:
    extraversion: -49-usac1
    sysname: Usac Linux - 202010856
"""

RETURN = r"""
extraversion:
  description:
    - What C(EXTRAVERSION) in the Makefile has to be. Before O(extraversion) it has the C(-rcN) of
      O(kernelversion), so that the release says of which candidate it is made.
  returned: if O(extraversion) is given
  type: str
  sample: -rc1-49-usac1
problems:
  description: One sentence for each thing that is wrong.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "source_version": {"type": "str"},
            "extraversion": {"type": "str"},
            "kernelversion": {"type": "str", "default": ""},
            "release": {"type": "str"},
            "sysname": {"type": "str"},
            "banner": {"type": "str"},
            "syscalls": {"type": "list", "elements": "dict"},
            "syscalls_extra": {"type": "list", "elements": "dict"},
            "patches": {"type": "list", "elements": "raw"},
        },
        supports_check_mode=True,
    )
    params = module.params
    problems: list[str] = []
    found: dict[str, str] = {}
    if params["source_version"] is not None:
        problems += inputs.check_source_version(params["source_version"])
    if params["extraversion"] is not None:
        version = params["kernelversion"] or params["source_version"] or ""
        problems += inputs.check_extraversion(params["extraversion"], version)
        found["extraversion"] = inputs.makefile_extraversion(version, params["extraversion"])
        if params["kernelversion"] and not problems:
            problems += inputs.check_release(inputs.full_release(version, params["extraversion"]))
    if params["release"] is not None:
        problems += inputs.check_release(params["release"])
    if params["sysname"] is not None:
        problems += inputs.check_sysname(params["sysname"])
    if params["banner"] is not None:
        problems += inputs.check_banner(params["banner"])
    problems += inputs.check_syscalls(params["syscalls"] or [], params["syscalls_extra"] or [])
    if params["patches"] is not None:
        problems += inputs.check_patches(params["patches"])
    if problems:
        module.fail_json(msg="; ".join(problems), problems=problems)
    module.exit_json(changed=False, problems=problems, **found)


if __name__ == "__main__":
    main()
