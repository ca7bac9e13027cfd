# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of hosts that reboot, and the lines that show them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import reboot_states as states
from ansible_collections.oslab.kernel.plugins.plugin_utils.reboot_states import HostState

NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)


def host(name: str, state: str, began: float, at: float = NOW) -> HostState:
    return HostState(name, state, NOW - began, at)


def test_the_last_state_of_each_host_is_read(tmp_path: Path) -> None:
    states.write(tmp_path, host("web2", states.DOWN, 9))
    states.write(tmp_path, host("web1 / ünï", states.DOWN, 5))
    states.write(tmp_path, host("web2", states.SILENT, 9))
    # A worker is in the middle of writing.
    (tmp_path / "0123456789abcdef.part").write_text("[")
    assert states.read(tmp_path) == [
        host("web2", states.SILENT, 9),
        host("web1 / ünï", states.DOWN, 5),
    ]


def test_nobody_reads_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        states.write(states.directory(str(tmp_path)), host("web1", states.DOWN, 1))


def test_lines_show_how_long_the_reboot_takes_or_took() -> None:
    shown = states.lines(
        [host("web1", states.SILENT, 75), host("db", states.UP, 90, at=NOW - 20)], 2, 5, 80
    )
    assert shown == [
        "web1    1:15  wave 2  does not answer",
        "db      1:10  wave 2  answers",
    ]


def test_no_line_is_longer_than_the_terminal() -> None:
    assert states.lines([host("x" * 40, states.DOWN, 1)], 1, 5, 30) == ["x" * 30]


def test_hosts_that_do_not_fit_are_counted_and_who_is_back_goes_first() -> None:
    hosts = [host(f"web{number}", states.UP, 9) for number in range(5)]
    hosts += [host("slow", states.SILENT, 8), host("last", states.WAITING, 1)]
    shown = states.lines(hosts, 1, 3, 80)
    assert [line.split()[0] for line in shown] == ["slow", "last", "5"]
    assert shown[-1] == "5 more: 5 answers"


def test_as_many_hosts_as_lines_need_no_count() -> None:
    hosts = [host(f"web{number}", states.DOWN, 9) for number in range(3)]
    assert [line.split()[0] for line in states.lines(hosts, 1, 3, 80)] == ["web0", "web1", "web2"]


def test_a_clock_that_was_set_back_counts_from_zero() -> None:
    assert host("web1", states.DOWN, -5).seconds(NOW) == 0
