# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a trial boot left behind on a host, once that is back in its fallback kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import (
    earlier,
    journal,
    kdump,
    pstore,
)
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.journal import Ask
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import REPORT

_REPORT_BYTES = 16 << 10


def _timer(root: Path) -> str:
    """What the rollback timer wrote before it ended the trial boot; empty if it did not."""
    try:
        # The role trial removes an earlier one before the trial boot.
        return bounded_read.end(root / REPORT, _REPORT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _current(root: Path) -> str:
    try:
        return boot_id.read(root)
    except OSError:
        return ""


def evidence(root: Path, ask: Ask, release: str, since: float, before: str) -> dict[str, Any]:
    """For plugin_utils/trial_cause.py.

    `since` is the host's time in seconds since 1970, and `before` the id of its boot, both from
    before the trial boot of `release`.
    """
    current = _current(root)
    boot = journal.read(ask, before, current, release)
    records = [*pstore.records(root, since, release), *kdump.records(root, since, release)]
    if boot and boot.kernel:
        records.append(boot.record())
    return {
        "records": [record.answer() for record in records],
        "journal": boot.answer() if boot else None,
        "timer": _timer(root),
        "failed_before": earlier.failed(root, ask, release, before),
        "complaints_before": earlier.complaints(root, ask, release, before, current),
        "kept_by": {
            "journal": journal.is_persistent(root),
            "pstore": pstore.backend(root),
            "kdump": kdump.is_loaded(root),
        },
    }
