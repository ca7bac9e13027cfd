# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, sizes and times of the report as text for people."""

from __future__ import annotations

import time
from typing import Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils.report import model

_MINUTE, _HOUR = 60, 3600
_LATEST = 253402300799  # 9999-12-31


def duration(seconds: Optional[float]) -> str:
    """In the two largest units; a dash for what is not known."""
    if seconds is None:
        return "-"
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def mib(size: Optional[float]) -> str:
    """Of bytes; a dash for what is not known."""
    return "-" if size is None else f"{size / 2**20:.1f} MiB"


def when(seconds: Optional[int]) -> str:
    """Of seconds since 1970; a dash for what is not known."""
    if seconds is None or seconds > _LATEST:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def value(one: model.Value) -> str:
    """What a check expects or has read."""
    if isinstance(one, bool):
        return "yes" if one else "no"
    return "-" if one is None else str(one)


def difference(before: int, after: Optional[int]) -> str:
    """With its sign; a dash for what is not known."""
    return "-" if after is None else f"{after - before:+d}"
