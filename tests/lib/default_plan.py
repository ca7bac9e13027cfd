# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role `patch` does to a tree by default, without Ansible."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._patch import apply
from ansible_collections.oslab.kernel.plugins.module_utils._patch.edits import Syscall


def default_plan(root: Path) -> apply.Plan:
    """The plan of the role's defaults and of files/kernel, in the checkout at `root`."""
    kernel = root / "files/kernel"
    defaults = yaml.safe_load((root / "roles/patch/defaults/main.yml").read_text(encoding="utf-8"))
    return apply.Plan(
        sysname=defaults["patch_sysname"],
        banner=defaults["patch_banner"],
        syscalls=[
            Syscall(
                name=item["name"],
                source=f"{item['name']}.c",
                text=(kernel / f"syscalls/{item['name']}.c").read_text(encoding="utf-8"),
                kconfig=item["kconfig"],
                depends=item.get("depends", ""),
                own=False,
            )
            for item in defaults["patch_syscalls"]
        ],
        headers={
            item["dest"]: (kernel / "syscalls" / Path(item["source"]).name).read_text(
                encoding="utf-8"
            )
            for item in defaults["patch_headers"]
        },
        patches=[
            apply.PatchFile(item.name, item.read_text(encoding="utf-8"), own=False)
            for item in sorted((kernel / "patches").glob("*.patch"))
        ],
    )
