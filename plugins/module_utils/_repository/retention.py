# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builds a repository keeps: of each builder the ones that were published last.

The packages of a build have one version, which ends with its build id and so tells nothing about
its age. The order in which they were published is written down.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, bounded_read

RECORD = "published.json"

#: Versions, the one that was published last at the end, with the names of their builders. Empty
#: where the record is of an earlier release, which had one builder.
Order = Mapping[str, str]


def read_order(root: Path) -> dict[str, str]:
    try:
        found = bounded_read.parse_json(bounded_read.text(root / RECORD, errors="strict"))
    except (OSError, ValueError):
        return {}
    entries = map(_entry, found if isinstance(found, list) else [])
    return dict(entry for entry in entries if entry)


def _entry(one: Any) -> Optional[tuple[str, str]]:
    if isinstance(one, str):
        return one, ""
    if isinstance(one, dict) and isinstance(one.get("version"), str):
        return one["version"], str(one.get("kernel") or "")
    return None


def write_order(root: Path, order: Order) -> None:
    entries = [{"version": version, "kernel": kernel} for version, kernel in order.items()]
    atomic_file.write(root / RECORD, json.dumps(entries, indent=2) + "\n", 0o644)


def new_order(
    recorded: Order, stored: Collection[str], wanted: Collection[str], kernel: str = ""
) -> dict[str, str]:
    """The order once `wanted` of the builder `kernel` is published, too.

    What no record tells of counts as oldest.
    """
    known = {
        version: builder
        for version, builder in recorded.items()
        if version in stored and version not in wanted
    }
    unknown = {*stored} - {*recorded} - {*wanted}
    return {**dict.fromkeys(sorted(unknown), ""), **known, **dict.fromkeys(sorted(wanted), kernel)}


def surplus(
    order: Order, keep: int, wanted: Collection[str], *, by_builder: bool = False
) -> list[str]:
    """Those beyond the limit, from the oldest; never those that are wanted, nor the newest.

    `by_builder`: whether the limit is that of each builder.
    """
    if keep <= 0:
        return []
    versions: dict[str, list[str]] = {}
    for version, builder in order.items():
        versions.setdefault(builder if by_builder else "", []).append(version)
    beyond = {one for of_one in versions.values() for one in of_one[: max(len(of_one) - keep, 0)]}
    return [version for version in order if version in beyond and version not in wanted]
