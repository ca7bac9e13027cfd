# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets whose firmware would refuse a kernel, so that it is built for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import secure_boot
from ansible_collections.oslab.kernel.plugins.plugin_utils import collected_hardware

#: Sentences of a report; each target has its own in its variables, and fails with it.
SHOWN = 10


def refusals(
    hostvars: Mapping[str, Any], targets: Sequence[str], signer: Optional[Mapping[str, str]]
) -> dict[str, Any]:
    """Of the targets that have answered: `refused` with the reasons, `accepting`, and a `report`.

    A target that was not reached is in neither; the role install looks at it when it is.
    """
    refused: dict[str, str] = {}
    accepting: list[str] = []
    for name in targets:
        info = collected_hardware.target_facts(hostvars, name)
        if not info:
            continue
        reason = secure_boot.problem(name, info, signer)
        if reason:
            refused[name] = reason
        else:
            accepting.append(name)
    sentences = list(refused.values())
    more = len(sentences) - SHOWN
    shown = sentences[:SHOWN] + ([f"And {more} more."] if more > 0 else [])
    return {"refused": refused, "accepting": accepting, "report": " ".join(shown)}
