# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays of one run tell the report one after the other."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.plugin_utils.report import progress

SOAK = {"name": "an hour", "passed": True}
ALERTS = {"name": "alerts", "passed": True}


def test_gates_stay_when_a_wave_is_added(tmp_path: Path) -> None:
    progress.add(tmp_path, ["a", "b"], ["a", "b"], ["a"])
    # First the soak alone, then all gates of the wave.
    progress.add_gates(tmp_path, 2, [SOAK])
    progress.add_gates(tmp_path, 2, [SOAK, ALERTS])
    known = progress.add(tmp_path, ["b"], ["b"], ["b"])
    assert known.waves == [["a"], ["b"]]
    assert known.gates == [{**SOAK, "wave": 2}, {**ALERTS, "wave": 2}]


def test_a_host_that_a_play_lost_stays_lost(tmp_path: Path) -> None:
    progress.add(tmp_path, ["a", "b"], ["b"], [])
    known = progress.add(tmp_path, ["b"], ["b"], [])
    assert known.lost == ["a"]
    assert known.gates == []


def test_hosts_of_a_wave_have_begun_until_it_ends(tmp_path: Path) -> None:
    known = progress.add(tmp_path, ["a", "b", "c"], ["a", "b", "c"], ["a", "b"], begins=True)
    assert (known.begun, known.waves) == (["a", "b"], [["a", "b"]])
    # Gates are asked before the next wave, and keep it.
    progress.add_gates(tmp_path, 2, [SOAK])
    # At its end the wave has no host any more that it has lost, but the report has.
    known = progress.add(tmp_path, ["a", "b", "c"], ["a", "c"], ["a"])
    assert (known.begun, known.lost, known.waves) == ([], ["b"], [["a", "b"]])
    # A gate says no: the wave ends before it begins.
    known = progress.add(tmp_path, ["a", "b", "c"], ["a", "c"], ["c"])
    assert (known.begun, known.waves) == ([], [["a", "b"], ["c"]])
