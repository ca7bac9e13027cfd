# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot loader of a module's options."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._boot import efi_variables, kexec
from ansible_collections.oslab.kernel.plugins.module_utils._boot import mounts as boot_mounts
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import (
    settings as grub_settings,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.booted import Booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    Loader,
    LoaderError,
    Request,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.systemd_boot import SystemdBoot
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import boot_space
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

ROOT = Path("/")


def argument_spec() -> dict[str, Any]:
    return {
        "loader": {
            "type": "str",
            "choices": ["auto", boot_space.GRUB, boot_space.SYSTEMD_BOOT],
            "default": "auto",
        },
        "config": {"type": "path", "default": "/boot/grub/grub.cfg"},
        "environment": {"type": "path", "default": "/boot/grub/grubenv"},
        "custom": {"type": "path", "default": "/boot/grub/custom.cfg"},
        "settings": {"type": "path", "default": grub_settings.DEFAULTS},
        "boot": {"type": "path"},
        "variables": {"type": "path", "default": f"/{efi_variables.DIRECTORY}"},
    }


def loader(module: AnsibleModule) -> Loader:
    """The one that its options name, or that has started this boot."""
    return from_options(module.params, module_runner(module))


def starts_by_default(release: str, run: Runner) -> bool:
    """Whether the loader that has started this boot would start this kernel by itself.

    As the module boot_entry sees it with its default options, which then has nothing to do.
    """
    options = {name: option.get("default") for name, option in argument_spec().items()}
    try:
        found = from_options(options, run)
        return found.honours_default and not found.plan(Request("default", release)).steps
    except (LoaderError, OSError):
        return False


def from_options(options: Mapping[str, Any], run: Runner) -> Loader:
    name = options["loader"]
    if name == "auto":
        name = boot_space.loader(ROOT)
    if name == boot_space.SYSTEMD_BOOT:
        boot, variables = options["boot"] or "", Path(options["variables"])
        return SystemdBoot(run, boot, variables, running=os.uname().release)
    files = (options["config"], options["environment"], options["custom"])
    booted = Booted(os.uname().release, read(ROOT / "proc/cmdline"))
    directory = Path(options["environment"]).parent
    fstab, mounts = read(ROOT / "etc/fstab"), read(ROOT / "proc/self/mountinfo")
    place = boot_mounts.problem(directory, fstab, mounts)
    return Grub(
        run, *files, booted, options["settings"], place, functools.partial(kexec.problem, ROOT)
    )
