# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the targets of one kernel have shown, as a whole. Each host is looked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: What is kept of what host_kernel_info returns.
KEPT = ("release", "boot_config", "boot_config_sha256", "modules", "essential_modules", "oslab")


def _told(hostvars: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What the host told in this run; empty if it did not answer."""
    told = hostvars[name].get("kernel_target_info") if name in hostvars else None
    return told if isinstance(told, Mapping) and "release" in told else {}


def _union(captures: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    return sorted({module for capture in captures for module in capture[key]})


def survey(
    known: Mapping[str, Any],
    hostvars: Mapping[str, Any],
    targets: Sequence[str],
    recapture: bool,
) -> dict[str, Any]:
    """Add to what is known what a target tells for the first time, and unite it all.

    `known` may hold hosts that are no targets: they stay known and do not count.
    """
    captures = dict(known)
    for name in targets:
        if recapture or name not in captures:
            told = _told(hostvars, name)
            if told:
                captures[name] = {key: told[key] for key in KEPT if key in told}
    wanted = set(targets)
    used = {name: capture for name, capture in captures.items() if name in wanted}
    configured = [name for name, capture in used.items() if capture["boot_config"]]
    # A stock kernel's configuration before that of one built here.
    configured.sort(key=lambda name: used[name].get("oslab") is not None)
    return {
        "captures": captures,
        "unknown": [name for name in targets if name not in captures],
        "base_host": configured[0] if configured else "",
        "loaded": _union(used.values(), "modules"),
        "essential": _union(used.values(), "essential_modules"),
    }
