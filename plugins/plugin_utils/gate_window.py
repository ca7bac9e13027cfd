# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of some days of the week, by the clock on the wall of one time zone.

Each moment is one time of that clock, so the two changes of it in a year need no rule: an hour that
is left out never comes, and one that comes twice counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_DAY = 24 * 60  # minutes
#: Each window opens within a week, whatever the clock does meanwhile.
_SEARCHED = timedelta(days=8)
_MINUTE = timedelta(minutes=1)


class Window(NamedTuple):
    """Open on these days from `start` until before `end`; an end that is not later is one of the
    next day."""

    #: 0 is Monday, the first of DAYS.
    days: frozenset[int]
    #: Minutes since midnight.
    start: int
    end: int
    zone: ZoneInfo

    def __str__(self) -> str:
        days = ",".join(name for number, name in enumerate(DAYS) if number in self.days)
        return f"{days} {_shown(self.start)}-{_shown(self.end)} {self.zone.key}"


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(key: str, value: Any) -> int:
    text = str(value)
    if not isinstance(value, str):
        raise ValueError(f'{key} is {value}, not a text: write the time in quotes, as in "17:00"')
    if not _TIME.fullmatch(text) or (key == "from" and text == "24:00"):
        raise ValueError(f'{key} is {text!r}: it has to be hours and minutes, as in "17:00"')
    return int(text[:2]) * 60 + int(text[3:])


def parse(value: Mapping[str, Any]) -> Window:
    """Of `days`, `from`, `to` and `zone`, which all have a default.

    Raises ValueError with the reason.
    """
    named = value.get("days", DAYS)
    if not named:
        raise ValueError("days has none: name some, or leave it out for all")
    names = [str(name) for name in named]
    wrong = next((name for name in names if name not in DAYS), None)
    if wrong is not None:
        raise ValueError(f"days has {wrong!r}: there are {', '.join(DAYS)}")
    zone = str(value.get("zone") or "UTC")
    try:
        found = ZoneInfo(zone)
    # Of a directory of the database it is an error of the system.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"zone is {zone!r}, which is no time zone on the control node: it has to be a name as "
            "Europe/Berlin or UTC"
        ) from None
    return Window(
        frozenset(map(DAYS.index, names)),
        _minutes("from", value.get("from") or "00:00"),
        _minutes("to", value.get("to") or "24:00"),
        found,
    )


def is_open(window: Window, now: float) -> bool:
    """:param now: seconds since 1970, UTC."""
    local = datetime.fromtimestamp(now, window.zone)
    minute, day = local.hour * 60 + local.minute, local.weekday()
    if window.start < window.end:
        return day in window.days and window.start <= minute < window.end
    today = day in window.days and minute >= window.start
    return today or ((day - 1) % 7 in window.days and minute < window.end)


def opening(window: Window, now: float) -> Optional[float]:
    """When it is open next, seconds since 1970: `now` if it is; None if it never is."""
    if is_open(window, now):
        return now
    start = datetime.fromtimestamp(now, timezone.utc)
    moment = start.replace(second=0, microsecond=0)
    while moment < start + _SEARCHED:
        moment += _MINUTE
        if is_open(window, moment.timestamp()):
            return moment.timestamp()
    return None


def shown_time(window: Window, moment: float) -> str:
    """As somebody in that zone would say it."""
    local = datetime.fromtimestamp(moment, window.zone)
    return f"{DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M %Z}"
