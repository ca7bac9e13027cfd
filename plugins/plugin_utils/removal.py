# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to put in the place of our packages, so that a host is as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import own_packages
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_update import priorities


def _best(known: Mapping[str, int], before: str) -> str:
    """The version from before, else what apt prefers of the versions that are not ours; '' if there
    is none."""
    others = {version: rank for version, rank in known.items() if not own_packages.is_ours(version)}
    if before in others:
        return before
    # apt lists the newest first.
    allowed = [version for version, rank in others.items() if rank >= 0]
    return max(allowed, key=lambda version: others[version], default="")


def restoration(
    policy: str,
    baseline: Mapping[str, Any],
    refused: Mapping[str, Sequence[str]],
    host: str,
    replaced: Sequence[str] = (),
) -> dict[str, Any]:
    """Which versions are put in the place of ours, and the differences and problems to report.

    `policy`: what `apt-cache policy` prints of the packages. `refused`: those that cannot be
    removed, each with the packages that would be removed with it. `replaced`: those of which there
    was another version before.
    """
    before, known = baseline.get("packages", {}), priorities(policy)
    names = dict.fromkeys([*replaced, *refused])
    chosen = {name: _best(known.get(name, {}), before.get(name, "")) for name in names}
    needed = [name for name in refused if not chosen[name]]
    lacking = [name for name in replaced if not chosen[name]]
    problems = []
    if needed:
        shown = ", ".join(f"{name} ({' '.join(map(str, refused[name]))})" for name in needed)
        problems.append(
            f"with these, packages that are not the kernel's would be removed: {shown}. Remove "
            "those in parentheses first"
        )
    if lacking:
        shown = ", ".join(f"{name} ({before.get(name, 'any')})" for name in lacking)
        problems.append(
            f"no source of apt's has these, not even in another version: {shown}. See "
            f"/etc/apt/sources.list and /etc/apt/sources.list.d on {host}"
        )
    return {
        "install": [f"{name}={version}" for name, version in chosen.items() if version],
        "stay": sorted({*needed, *lacking}),
        "differences": [
            f"{name} was {before[name]} and is {version} now"
            for name, version in chosen.items()
            if version and before.get(name, version) != version
        ],
        "problem": "; ".join(problems),
    }
