# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout: uniform, the same at each look, and never smaller than it was."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._repository.rollout import (
    MOST_STEPS,
    PLACES,
    Rollout,
    RolloutError,
    Step,
    parse_steps,
    place,
    turn,
)

BUILD = "ab" * 32
HOSTS = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(10_000)]
STEPS = (Step(100, 0), Step(500, 3600), Step(2500, 7200), Step(10_000, 86_400))
GIVEN = [
    {"percent": 1, "after_hours": 0},
    {"percent": 5, "after_hours": 1},
    {"percent": "25", "after_hours": 2.0},
    {"percent": 100, "after_hours": 24},
]


def test_places_are_uniform() -> None:
    """10,000 hosts in 20 equal shares: chi-squared with 19 degrees of freedom, p = 0.001."""
    counts = [0] * 20
    for host in HOSTS:
        counts[place(host, BUILD) * 20 // PLACES] += 1
    assert sum((count - 500) ** 2 / 500 for count in counts) < 43.8


def test_a_place_is_the_same_at_any_time_and_on_any_python() -> None:
    assert place("0123456789abcdef0123456789abcdef\n", BUILD) == 7600
    assert place("0123456789abcdef0123456789abcdef", BUILD) == 7600
    assert min(place(host, BUILD) for host in HOSTS) >= 0
    assert max(place(host, BUILD) for host in HOSTS) < PLACES


def test_another_build_has_other_first_hosts() -> None:
    first = {host for host in HOSTS if place(host, BUILD) < 100}
    others = {host for host in HOSTS if place(host, "cd" * 32) < 100}
    # One in a hundred is in both by chance.
    assert len(first & others) < 10
    assert 60 < len(first) < 140


def test_the_rollout_only_grows() -> None:
    rollout = Rollout(STEPS, 1000)
    places = [place(host, BUILD) for host in HOSTS]
    before: set[int] = set()
    shares = []
    for now in (0, 999, 1000, 4599, 4600, 8200, 87_399, 87_400, 1 << 40):
        begun = {its for its in places if turn(rollout, its, now).come}
        assert before <= begun
        before = begun
        shares.append(sum(its in begun for its in places) / len(places))
    assert shares[:2] == [0, 0]
    assert shares[2] == pytest.approx(0.01, abs=0.004)
    assert shares[4] == pytest.approx(0.05, abs=0.01)
    assert shares[5] == pytest.approx(0.25, abs=0.02)
    assert shares[3] == shares[2]
    assert shares[-2:] == [1, 1]


def test_a_host_that_waits_knows_when_its_turn_comes() -> None:
    rollout = Rollout(STEPS, 1000)
    assert turn(rollout, 99, 1000) == (True, 1000)
    assert turn(rollout, 100, 1000) == (False, 4600)
    assert turn(rollout, 9999, 87_399) == (False, 87_400)
    # Without a step for all, some have no turn.
    assert turn(Rollout(STEPS[:2], 1000), 500, 1 << 40) == (False, None)
    # Without steps everybody has, also with a clock that is behind.
    assert turn(Rollout((), 1000), 9999, 0) == (True, 1000)


def test_the_steps_of_the_variable() -> None:
    assert parse_steps(GIVEN) == STEPS
    assert parse_steps([]) == ()
    assert parse_steps([{"percent": 0.01, "after_hours": 0.5}]) == (Step(1, 1800),)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("1%", "not a list"),
        (None, "not a list"),
        ({}, "not a list"),
        ([1], r"\[0\] has to have percent and after_hours"),
        ([{"percent": 1}], r"\[0\] has to have percent and after_hours"),
        ([{"percent": 1, "after_hours": 0, "x": 1}], "and nothing else"),
        ([{"percent": 0, "after_hours": 0}], "from 0.01 to 100"),
        ([{"percent": 101, "after_hours": 0}], "from 0.01 to 100"),
        ([{"percent": True, "after_hours": 0}], "from 0.01 to 100"),
        ([{"percent": "nan", "after_hours": 0}], "from 0.01 to 100"),
        ([{"percent": "9" * 5000, "after_hours": 0}], "from 0.01 to 100"),
        ([{"percent": 1, "after_hours": -1}], "from 0 to 87600"),
        ([{"percent": 1, "after_hours": "inf"}], "from 0 to 87600"),
        ([*GIVEN[:2], {"percent": 5, "after_hours": 3}], r"\[2\] has to have a larger percent"),
        ([*GIVEN[:2], {"percent": 6, "after_hours": 1}], r"\[2\] has to have a larger percent"),
        ([GIVEN[0]] * (MOST_STEPS + 1), "has 101 steps"),
    ],
)
def test_what_is_no_rollout(given: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        parse_steps(given)
