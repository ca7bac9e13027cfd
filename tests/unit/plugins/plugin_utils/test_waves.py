# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.oslab.kernel.plugins.plugin_utils import waves

EVERYONE = ["a", "b", "c", "d", "e"]


def current(
    batch: Sequence[str], numbers: dict[str, int], failed: str = "", **done: float
) -> waves.Wave:
    active = [host for host in EVERYONE if host not in failed]
    return waves.current(batch, EVERYONE, active, lambda host: numbers.get(host, 0), done)


def test_the_first_wave() -> None:
    wave = current(["a"], {})
    assert wave == waves.Wave(1, {})
    assert wave.is_first
    assert wave.ended(100) == 100
    assert wave.soaking(100, 10) == []


def test_the_wave_before() -> None:
    numbers = {"a": 1, "b": 2, "c": 2}
    assert current(["b", "c"], {"a": 1}) == waves.Wave(2, {"a": None})
    wave = current(["d", "e"], numbers)
    assert wave == waves.Wave(3, {"b": None, "c": None})
    assert not wave.is_first
    assert wave.ended(100) == 100
    assert wave.soaking(100, 0) == ["b", "c"]


def test_hosts_that_failed_are_not_asked_to_answer() -> None:
    assert current(["d"], {"a": 1, "b": 2, "c": 2}, failed="c").before == {"b": None}
    # Of the wave that begins, the first may be gone.
    assert current(["e"], {"a": 1, "b": 2, "c": 2}, failed="bcd").before == {}


def test_a_run_that_goes_on() -> None:
    wave = current(["a", "b"], {}, x=50.0, y=90.0)
    assert wave.number == 1
    assert not wave.is_first
    # What counts is the last host that got the kernel.
    assert wave.ended(100) == 90
    assert wave.soaking(100, 5) == []
    assert wave.soaking(100, 20) == ["y"]
    assert wave.soaking(100, 60) == ["x", "y"]
    # Later waves have one of this run before them.
    assert current(["c"], {"a": 1, "b": 1}, x=50.0).before == {"a": None, "b": None}


def test_hosts_without_a_number_are_of_the_wave_before() -> None:
    assert current(["b"], {}) == waves.Wave(2, {"a": None})
