# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels of ours that a host needs no more. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import own_packages
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import (
    Host,
    dpkg_facts,
    install_record,
    oslab_releases,
)


def packages(host: Host, keep: int, needed: Iterable[str]) -> tuple[list[str], list[str]]:
    """Packages of our kernels beyond the newest `keep`, and warnings about what cannot be read.

    Never those of the kernel that runs, of the fallback kernel that the role trial has recorded, or
    of one that is `needed`.
    """
    warnings: list[str] = []
    releases = oslab_releases(host.root)
    record: dict[str, Any] = install_record(host.root, warnings) or {}
    running = read(host.root / "proc/sys/kernel/osrelease").strip()
    kept = {running, record.get("fallback"), *needed, *releases[: max(keep, 1)]}
    old = [release for release in releases if release not in kept]
    names = [name for release in old for name in own_packages.of_kernel(release)]
    there = dpkg_facts(host.run, ())["oslab_packages"]
    return [name for name in names if name in there], warnings
