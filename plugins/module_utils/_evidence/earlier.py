# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on a host in its fallback kernel, too: it is no cause of a failure."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import journal, kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.journal import Ask
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, health_units

#: Of the names that are returned.
MOST = 200
_FAILED = ("systemctl", "list-units", "--failed", "--no-legend", "--plain", "--full", "--no-pager")
_BYTES = 256 << 10
_SECONDS = 20.0
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")


def _is_trial(root: Path, release: str) -> bool:
    """Whether this is still the trial boot."""
    return read(root / "proc/sys/kernel/osrelease").strip() == release


def _now(root: Path, ask: Ask, release: str) -> list[str]:
    """Those that have failed in this boot; none if it is still the trial boot."""
    if _is_trial(root, release):
        return []
    output = ask(_FAILED, _BYTES, _SECONDS).decode("utf-8", "replace")
    return [next(iter(bounded_read.words(line)), "") for line in bounded_read.lines(output)]


def _recorded(root: Path) -> list[str]:
    """Those that had failed, or had not come up, when the host described itself."""
    try:
        state = health.decoded(bounded_read.json_object(root / health.RECORD, health.MOST_BYTES))
    except (OSError, ValueError):
        return []
    units = state.kinds.get(health.UNIT, {}) if state else {}
    bad = ("failed", "activating", health_units.HAD_FAILED)
    return [name for name, item in units.items() if item.text.startswith(bad)]


def failed(root: Path, ask: Ask, release: str, before: str) -> list[str]:
    """The names of units, of all that the host still knows.

    `before` is the id of the boot before the trial boot of `release`; it may be empty.
    """
    found = [*_now(root, ask, release), *_recorded(root), *journal.failed_units(ask, before)]
    return [name for name in dict.fromkeys(found) if _UNIT.fullmatch(name)][:MOST]


def complaints(root: Path, ask: Ask, release: str, before: str, current: str) -> list[str]:
    """What the kernel complains of in the boot before, and in this one if it is not the trial.

    Both boots are ids, which may be empty.
    """
    boots = [before] if _is_trial(root, release) else [before, current]
    lines = [line for one in dict.fromkeys(boots) for line in journal.kernel_lines(ask, one)]
    return [one for one in dict.fromkeys(map(kernel_text.complaint, lines)) if one][:MOST]
