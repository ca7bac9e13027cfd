# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of programs whose questions nobody could answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import LOCALE

UNATTENDED = {
    **LOCALE,
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBIAN_PRIORITY": "critical",
    "UCF_FORCE_CONFFOLD": "1",
    # Nothing of others, installed or restarted before, is listed, refused or restarted now.
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "NEEDRESTART_SUSPEND": "1",
    # By which older needrestart still runs: list, restart nothing.
    "NEEDRESTART_MODE": "l",
}


def unattended(more: Mapping[str, Any]) -> dict[str, str]:
    """With `more`, which goes before it. Its values become texts."""
    return {**UNATTENDED, **{name: str(value) for name, value in more.items()}}
