# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builds a repository keeps: the ones that were published last.

The packages of a build have one version, which ends with its build id and so tells nothing about
its age. The order in which they were published is written down.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, bounded_read

RECORD = "published.json"


def read_order(root: Path) -> list[str]:
    """Versions, the one that was published last at the end."""
    try:
        found = bounded_read.parse_json(bounded_read.text(root / RECORD, errors="strict"))
    except (OSError, ValueError):
        return []
    return [str(version) for version in found] if isinstance(found, list) else []


def write_order(root: Path, versions: Sequence[str]) -> None:
    atomic_file.write(root / RECORD, json.dumps(versions, indent=2) + "\n", 0o644)


def new_order(
    recorded: Sequence[str], stored: Collection[str], wanted: Collection[str]
) -> list[str]:
    """The order once `wanted` is published too. What no record tells of counts as oldest."""
    known = [version for version in recorded if version in stored and version not in wanted]
    unknown = set(stored) - set(recorded) - set(wanted)
    return [*sorted(unknown), *known, *sorted(wanted)]


def surplus(versions: Sequence[str], keep: int, wanted: Collection[str]) -> list[str]:
    """Those beyond the limit, from the oldest; never those that are wanted, nor the newest."""
    if keep <= 0:
        return []
    beyond = versions[: max(len(versions) - keep, 0)]
    return [version for version in beyond if version not in wanted]
