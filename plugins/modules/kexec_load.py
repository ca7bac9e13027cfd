#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a kernel for `systemctl kexec`, as the boot loader would start it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kexec_load
short_description: Load a kernel, to be started without firmware and boot loader
version_added: 0.2.0
description:
  - Loads a kernel of this host as the boot loader's entry would start it, with more arguments.
    C(systemctl kexec) starts it then. The loader is not configured, so each other start boots its
    default.
  - Where that cannot be done it does not fail, and says why.
  - A kernel that is loaded already, with the same arguments, stays.
  - Only what this module has loaded is unloaded.
options:
  release:
    description: Kernel release, as C(uname -r) prints it. Needed by O(state=loaded).
    type: str
  arguments:
    description: Arguments for the kernel besides its usual ones.
    type: list
    elements: str
    default: []
  state:
    description: Whether one is to be loaded.
    type: str
    choices: [loaded, unloaded]
    default: loaded
extends_documentation_fragment:
  - oslab.kernel.boot_loader
attributes:
  check_mode:
    description: Nothing is loaded. It counts as a change if the host can load a kernel.
    support: full
  diff_mode:
    description: What is loaded is gone with the boot.
    support: none
  action:
    description: Has a corresponding action plugin, which makes texts safe to print.
    support: full
requirements:
  - kexec-tools
  - systemd
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Prepare a short reboot
  oslab.kernel.kexec_load:
    release: 6.8.0-49-usac1
    arguments: [panic=10]
  register: loaded
"""

RETURN = r"""
loaded:
  description: Whether a kernel is loaded, after this task.
  returned: success
  type: bool
reason:
  description: Why not; empty otherwise.
  returned: success
  type: str
"""

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._boot import kexec, loaders
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import LoaderError
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    module_runner,
    output_summary,
)

LOADED = Path("/", kexec.LOADED)
#: What was loaded. It ends with the boot, as that does.
RECORD = Path("/run/oslab-kernel.kexec")


def argument_spec() -> dict[str, Any]:
    return {
        "release": {"type": "str"},
        "arguments": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["loaded", "unloaded"], "default": "loaded"},
        **loaders.argument_spec(),
    }


def is_loaded() -> bool:
    return LOADED.exists() and LOADED.read_text(encoding="ascii").strip() == "1"


def described(image: Image) -> str:
    """All that decides what is loaded."""
    files = [path.stat() for path in (image.kernel, image.initrd)]
    return json.dumps([image.load(), [[one.st_ino, one.st_size, one.st_mtime_ns] for one in files]])


def recorded() -> str:
    try:
        return bounded_read.text(RECORD)
    except OSError:
        return ""


def load(module: AnsibleModule) -> tuple[bool, str]:
    """Whether something was done, and why it could not be loaded; '' if it is."""
    try:
        loader = loaders.loader(module)
        image = loader.image(module.params["release"], module.params["arguments"])
        wanted = described(image)
        if is_loaded() and recorded() == wanted:
            return False, ""
        # Of a load that is cut short nothing is known, but that it is ours.
        atomic_file.write(RECORD, "", 0o600, durable=False)
        status, out, err = module_runner(module)(image.load())
        if status == 0:
            atomic_file.write(RECORD, wanted, 0o600, durable=False)
    except (OSError, LoaderError, KexecError) as error:
        return False, str(error)
    return status == 0, "" if status == 0 else (
        f"kexec ended with {status}: {output_summary(out, err)}"
    )


def unload(module: AnsibleModule) -> bool:
    """Whether something was done; what somebody else has loaded stays."""
    changed = is_loaded() and RECORD.exists()
    if changed and not module.check_mode:
        program = module.get_bin_path("kexec", required=True)
        module.run_command([program, "--unload"], check_rc=True, environ_update=LOCALE)
    if not module.check_mode:
        RECORD.unlink(missing_ok=True)
    return changed


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "loaded", ("release",))],
        supports_check_mode=True,
    )
    if module.params["state"] == "unloaded":
        module.exit_json(changed=unload(module), loaded=False, reason="")
    reason, _remedy = kexec.problem()
    changed = not reason
    # A check run has not installed the kernel.
    if not reason and not module.check_mode:
        changed, reason = load(module)
    module.exit_json(changed=changed, loaded=not reason, reason=reason)


if __name__ == "__main__":
    main()
