# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make text of the checks of oslab.kernel.syscall_info."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils import check_report


class FilterModule:
    """Named check_table and check_failures; the sidecar .yml files document them."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "check_table": check_report.table,
            "check_failures": check_report.failures,
        }
