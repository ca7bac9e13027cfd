# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the output of `apt-get --simulate`."""

from __future__ import annotations

import re

#: Message of apt about a package that dpkg has not unpacked whole and no source has.
_REINSTALL = re.compile(r"package (\S+) needs to be reinstalled, but")
# Purg if a purge is requested or configured on the host.
_REMOVED = re.compile(r"^(?:Remv|Purg) (\S+)", re.MULTILINE)


def removed(text: str) -> list[str]:
    """The packages that would be removed, in its order; with :arch where that is printed."""
    return _REMOVED.findall(text)


def remedy(text: str) -> str:
    """What helps where apt plans nothing because of such a package; empty if it is not that."""
    names = list(dict.fromkeys(_REINSTALL.findall(text)))
    if not names:
        return ""
    return f"`dpkg --remove --force-remove-reinstreq {' '.join(names)}` removes it"
