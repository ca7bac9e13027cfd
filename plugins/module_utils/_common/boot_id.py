# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a boot: another one after each start of the kernel."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

_LARGEST = 64
PATH = "proc/sys/kernel/random/boot_id"


def read(root: Path = Path("/")) -> str:
    """Raises OSError."""
    return bounded_read.text(root / PATH, _LARGEST).strip()
