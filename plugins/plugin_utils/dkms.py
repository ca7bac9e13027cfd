# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find modules of DKMS that a kernel should have and does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unbuilt(info: Mapping[str, Any], release: str) -> list[str]:
    """NAME/VERSION of modules that are not built for a kernel.

    `info` is what host_kernel_info returned. Wanted is what DKMS builds for each kernel, and what
    the running kernel has; of several versions of a module, any.
    """
    modules: Mapping[str, list[str]] = info["dkms_modules"]

    def name(module: str) -> str:
        return module.partition("/")[0]

    built = {name(module) for module, releases in modules.items() if release in releases}
    wanted = {
        module
        for module, releases in modules.items()
        if module in info["dkms_automatic"] or info["release"] in releases
    }
    return sorted(module for module in wanted if name(module) not in built)
