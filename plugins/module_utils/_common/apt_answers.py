# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what apt answers."""

from __future__ import annotations

import re

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

#: Message of apt about a package that dpkg has not unpacked whole and no source has.
_REINSTALL = re.compile(r"package (\S+) needs to be reinstalled, but")
# Purg if a purge is requested or configured on the host.
_REMOVED = re.compile(r"^(?:Remv|Purg) (\S+)", re.MULTILINE)
_CANDIDATE = re.compile(r"^ +Candidate: +([0-9]\S*)$", re.MULTILINE)


def removed(text: str) -> list[str]:
    """What a simulation would remove, in its order; with :arch where that is printed."""
    return _REMOVED.findall(text)


def errors(text: str) -> list[str]:
    """What is wrong, by its standard error."""
    return [line[3:].strip() for line in text.splitlines() if line.startswith("E: ")]


def candidate(run: Runner, package: str) -> str:
    """The version that it would install; '' if there is none."""
    status, out, _err = run(["apt-cache", "policy", package])
    found = _CANDIDATE.search(out) if status == 0 else None
    return found[1] if found else ""


def remedy(text: str) -> str:
    """What helps where apt plans nothing because of such a package; empty if it is not that."""
    names = list(dict.fromkeys(_REINSTALL.findall(text)))
    if not names:
        return ""
    return f"`dpkg --remove --force-remove-reinstreq {' '.join(names)}` removes it"
