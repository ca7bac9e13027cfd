# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_window


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> float:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return moment.timestamp()


def window(**given: Any) -> gate_window.Window:
    return gate_window.parse({"zone": "Europe/Berlin", **given})


OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "04:00"}


@pytest.mark.parametrize(
    ("given", "moment", "expected"),
    [
        # 2026-11-27 is a Friday.
        (OFFICE, "2026-11-27 08:59:59", False),
        (OFFICE, "2026-11-27 09:00", True),
        (OFFICE, "2026-11-27 16:59:59", True),
        (OFFICE, "2026-11-27 17:00", False),
        (OFFICE, "2026-11-28 12:00", False),
        # Of the day on which it begins.
        (NIGHT, "2026-11-27 21:59", False),
        (NIGHT, "2026-11-27 22:00", True),
        (NIGHT, "2026-11-28 00:00", True),
        (NIGHT, "2026-11-28 03:59", True),
        (NIGHT, "2026-11-28 04:00", False),
        (NIGHT, "2026-11-28 22:00", False),
        (NIGHT, "2026-11-27 01:00", False),
        # Across the end of the week.
        ({"days": ["sun"], "from": "23:00", "to": "01:00"}, "2026-11-30 00:30", True),
        # The same time twice: a whole day.
        ({"days": ["fri"], "from": "12:00", "to": "12:00"}, "2026-11-28 11:59", True),
        ({"days": ["fri"], "from": "12:00", "to": "12:00"}, "2026-11-28 12:00", False),
        ({"days": ["fri"]}, "2026-11-27 23:59:59", True),
        ({"days": ["fri"]}, "2026-11-28 00:00", False),
        ({}, "2026-11-28 00:00", True),
        ({"from": "18:00", "to": "24:00"}, "2026-11-28 23:59", True),
        ({"from": "18:00", "to": "00:00"}, "2026-11-28 00:00", False),
    ],
)
def test_open(given: dict[str, Any], moment: str, expected: bool) -> None:
    assert gate_window.is_open(window(**given), at(moment)) is expected


def test_the_zone_counts_and_not_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    noon = at("2026-07-01 12:00", "UTC")
    for zone, hour in (("UTC", "12"), ("America/New_York", "08"), ("Asia/Kolkata", "17")):
        given = {"from": f"{hour}:00", "to": f"{hour}:59", "zone": zone}
        assert gate_window.is_open(gate_window.parse(given), noon)
        # Half a year later the clock of New York is another one.
        winter = gate_window.is_open(gate_window.parse(given), at("2026-01-01 12:00", "UTC"))
        assert winter is (zone != "America/New_York")


def test_an_hour_that_is_left_out() -> None:
    """On 2026-03-29 Berlin's clocks go from 02:00 to 03:00."""
    inside = window(**{"from": "02:15", "to": "02:45"})
    before = at("2026-03-29 01:59")
    assert not any(gate_window.is_open(inside, before + 60 * n) for n in range(120))
    opens = gate_window.opening(inside, before)
    assert opens == at("2026-03-30 02:15")
    # What goes on behind it begins with the first minute that there is.
    over = window(**{"from": "02:30", "to": "04:00"})
    assert gate_window.opening(over, before) == before + 60 == at("2026-03-29 03:00")


def test_an_hour_that_comes_twice() -> None:
    """On 2026-10-25 Berlin's clocks go from 03:00 back to 02:00."""
    inside = window(**{"from": "02:15", "to": "02:45"})
    first, second = (at("2026-10-25 02:15", fold=fold) for fold in (0, 1))
    assert second - first == 3600
    assert gate_window.is_open(inside, first)
    assert not gate_window.is_open(inside, first + 1800)
    assert gate_window.opening(inside, first + 1800) == second
    assert not gate_window.is_open(inside, second + 1800)


@pytest.mark.parametrize(
    ("given", "now", "then"),
    [
        (OFFICE, "2026-11-27 12:00:30", "2026-11-27 12:00:30"),
        (OFFICE, "2026-11-27 17:00", "2026-11-30 09:00"),
        (OFFICE, "2026-11-27 08:00:59", "2026-11-27 09:00"),
        (NIGHT, "2026-11-28 04:00", "2026-12-04 22:00"),
    ],
)
def test_the_next_opening(given: dict[str, Any], now: str, then: str) -> None:
    assert gate_window.opening(window(**given), at(now)) == at(then)


def test_texts() -> None:
    assert str(window(**OFFICE)) == "mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin"
    assert str(gate_window.parse({})) == "mon,tue,wed,thu,fri,sat,sun 00:00-24:00 UTC"
    shown = gate_window.shown_time(window(), at("2026-07-01 09:00"))
    assert shown == "wed 2026-07-01 09:00 CEST"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"from": 540}, "from is 540, not a text: write the time in quotes"),
        ({"to": 1020}, "to is 1020, not a text"),
        ({"from": "9:00"}, "from is '9:00': it has to be hours and minutes"),
        ({"from": "24:00"}, "from is '24:00'"),
        ({"to": "24:01"}, "to is '24:01'"),
        ({"to": "17:60"}, "to is '17:60'"),
        ({"to": "17:00\n"}, "to is '17:00"),
        ({"days": ["monday"]}, "days has 'monday': there are mon, tue"),
        ({"zone": "Berlin"}, "zone is 'Berlin', which is no time zone on the control node"),
        ({"zone": "../../etc/passwd"}, "is no time zone"),
        ({"zone": "Europe"}, "is no time zone"),
        ({"zone": "/etc/localtime"}, "is no time zone"),
    ],
)
def test_what_is_no_window(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        gate_window.parse(given)
    assert message in str(raised.value)
