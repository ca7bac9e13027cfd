# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The space that a kernel takes on a host, by file system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def needed(
    info: Mapping[str, Any], packages_kib: int, free_root_mib: int, free_boot_mib: int
) -> dict[str, int]:
    """KiB for each directory that has to have them free; `info` is what host_kernel_info returned.

    What is in /boot counts for / where it is no file system of its own. systemd-boot has copies.
    """
    stay = free_boot_mib * 1024
    boot = info["boot_kernel_kib"] + stay
    loaded_from = info["loader_directory"]
    if loaded_from == "/boot":
        boot += info["loader_kernel_kib"]
    root = packages_kib + free_root_mib * 1024 + (0 if info["boot_separate"] else boot)
    found = {"/boot": boot, "/": root}
    if loaded_from and loaded_from not in found:
        found[loaded_from] = info["loader_kernel_kib"] + stay
    return found
