#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what a trial boot that failed left behind on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: trial_evidence_info
short_description: What a trial boot that failed left behind
description:
  - >-
    Reads, in the fallback kernel, what is left of a trial boot: records of pstore
    (C(/sys/fs/pstore), and C(/var/lib/systemd/pstore), where systemd moves them), the log of a
    kernel that kdump-tools wrote to C(/var/crash), the messages of kernel and systemd in the
    journal, and the report of the rollback timer. Nothing is removed.
  - >-
    Only what is newer than O(since), and does not name another kernel than O(release) as its
    writer, is of the trial boot. Of the journal, it is a boot after O(boot_id) that was started as
    its trial boot.
  - Of each log, the last 300 lines are returned. Arguments of kernels are left out.
  - The filter P(oslab.kernel.trial_cause#filter) names the cause by it.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.3.0"
author: oslab.kernel contributors (@oslab)
options:
  release:
    description: Release of the kernel of the trial boot, as C(uname -r) prints it.
    type: str
    required: true
  since:
    description: >-
      The host's time before the trial boot, in seconds since 1970, as
      M(oslab.kernel.host_kernel_info) returns it.
    type: int
    default: 0
  boot_id:
    description: >-
      The host's boot before the trial boot, as M(oslab.kernel.host_kernel_info) returns it. If
      empty, only the boot before this one is looked at in the journal.
    type: str
    default: ""
  serial_log:
    description: >-
      File on the control node with what the host's serial console printed. The action plugin reads
      its last 4 MiB. If the host's part fails, this one is returned all the same, with a warning.
    type: path
    default: ""
  serial_offset:
    description: >-
      Bytes that O(serial_log) had when the host was asked to reboot, as
      M(oslab.kernel.throttled_reboot) returns them; what is before is not of the trial boot. V(-1)
      if it is not known.
    type: int
    default: -1
  answers:
    description: Whether the host answers. With V(false) only O(serial_log) is read.
    type: bool
    default: true
attributes:
  action:
    description: Has a corresponding action plugin, which reads O(serial_log) and checks the answer.
    support: full
"""

EXAMPLES = r"""
- name: Collect what the last trial boot left behind
  oslab.kernel.trial_evidence_info:
    release: 6.12.117-49-usac1
  register: evidence

- name: Show the cause
  ansible.builtin.debug:
    msg: "{{ (evidence | oslab.kernel.trial_cause).sentence }}"
"""

RETURN = r"""
records:
  description: >-
    Logs of the kernel that were found, each with C(source) (V(pstore), V(kdump), V(journal) or
    V(serial)), C(name), which is where it is, and C(lines), the last of it.
  returned: always
  type: list
  elements: dict
journal:
  description: >-
    The trial boot in the journal: C(boot_id), C(units) that failed, C(manager), the last messages
    of systemd, and C(shut_down), whether it ended by a shutdown. V(null) if the journal does not
    have it.
  returned: always
  type: dict
timer:
  description: What the rollback timer wrote before it ended the trial boot; empty if it did not.
  returned: always
  type: str
failed_before:
  description: >-
    Units that have failed in the boot before the trial boot, or in this one, if that is not the
    trial boot. They are no cause.
  returned: always
  type: list
  elements: str
complaints_before:
  description: >-
    What the kernel complains of in the same boots, each as the kind of the complaint and what it
    names. It is no cause, either.
  returned: always
  type: list
  elements: str
kept_by:
  description: >-
    What would outlive a crash on this host: C(journal), whether it is persistent, C(pstore), its
    backend or empty, and C(kdump), whether a crash kernel is loaded.
  returned: always
  type: dict
console:
  description: >-
    What O(serial_log) has: C(read), whether it could be read, C(console), whether kernels print to
    it, and C(started), whether that of the trial boot did.
  returned: always, by the action plugin
  type: dict
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import gather
from ansible_collections.oslab.kernel.plugins.module_utils._verify.kernel_log import limited_output


def argument_spec() -> dict[str, Any]:
    return {
        "release": {"type": "str", "required": True},
        "since": {"type": "int", "default": 0},
        "boot_id": {"type": "str", "default": ""},
        "serial_log": {"type": "path", "default": ""},
        "serial_offset": {"type": "int", "default": -1},
        "answers": {"type": "bool", "default": True},
    }


def ask(argv: Sequence[str], limit: int, seconds: float) -> bytes:
    return limited_output(argv, limit, seconds)


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    found = gather.evidence(Path("/"), ask, params["release"], params["since"], params["boot_id"])
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
