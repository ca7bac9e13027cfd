# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test scripts share that people start and watch."""

from __future__ import annotations

import time


class RunError(Exception):
    """The script cannot go on; said to the user as it is."""


def log_line(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
