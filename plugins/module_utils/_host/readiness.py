# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons not to change a host now: a pending reboot, a wrong clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

# Debian and Ubuntu make this file; gone with the boot in which it was left.
REBOOT = "run/reboot-required"


def reboot_required(root: Path) -> Optional[list[str]]:
    """The packages that require a reboot, as far as named; None if no reboot is pending."""
    if not (root / REBOOT).exists():
        return None
    return sorted(set(read(root / f"{REBOOT}.pkgs").split()))


def pending_facts(root: Path, now: float) -> dict[str, Any]:
    return {"reboot_required": reboot_required(root), "time": int(now)}
