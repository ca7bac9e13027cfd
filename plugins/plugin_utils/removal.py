# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to remove from a host, so that it is as it was, or has no more kernels than are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_KERNEL = ("linux-image-{}", "linux-headers-{}", "linux-modules-oslab-{}", "linux-image-{}-dbg")
_REMOVED = re.compile(r"^Remv (\S+)", re.MULTILINE)


def plan(info: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, list[str]]:
    """Packages to purge, and those that were there in another version before.

    `info` is what host_kernel_info returns; `origin` was recorded before anything was installed.
    """
    before = origin.get("packages", {})
    ours = sorted(info["oslab_packages"])
    return {
        "purge": [name for name in ours if name not in before],
        "restore": [f"{name}={before[name]}" for name in ours if name in before],
    }


def orphans(simulation: str, origin: Mapping[str, Any]) -> list[str]:
    """What `apt-get --simulate autoremove` would remove and was not there before."""
    if "names" not in origin:
        return []
    return sorted(set(_REMOVED.findall(simulation)) - set(origin["names"]))


def old_kernels(info: Mapping[str, Any], keep: int, needed: Iterable[str]) -> list[str]:
    """Packages of our kernels beyond the newest `keep`, never those of a kernel that is needed."""
    kept = {info["release"], *needed, *info["oslab_releases"][: max(keep, 1)]}
    return packages_of(
        [release for release in info["oslab_releases"] if release not in kept],
        info["oslab_packages"],
    )


def packages_of(releases: Sequence[str], installed: Iterable[str]) -> list[str]:
    there = set(installed)
    names = [kind.format(release) for release in releases for kind in _KERNEL]
    return [name for name in names if name in there]
