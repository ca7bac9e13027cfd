# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throttled group: so many at once, by group, and nobody after a loss."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import throttle
from ansible_collections.oslab.kernel.plugins.plugin_utils.throttle import LostError, Throttle


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "SECONDS", 0.01)


def test_no_more_than_that_many(tmp_path: Path) -> None:
    lock = threading.Lock()
    most = present = 0

    def member() -> None:
        nonlocal most, present
        with Throttle(tmp_path, "rack", 2).slot():
            with lock:
                present += 1
                most = max(most, present)
            threading.Event().wait(0.05)
            with lock:
                present -= 1

    members = [threading.Thread(target=member) for _number in range(6)]
    for one in members:
        one.start()
    for one in members:
        one.join()
    assert most == 2


def test_groups_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with Throttle(tmp_path, "one", 1).slot(), Throttle(tmp_path, "other", 1).slot():
        pass


def test_after_a_loss_nobody_of_the_group(tmp_path: Path) -> None:
    first = Throttle(tmp_path, "one", 1)
    with first.slot():
        first.lose("web3")
    with pytest.raises(LostError, match="web3"), Throttle(tmp_path, "one", 1).slot():
        pass
    with Throttle(tmp_path, "other", 1).slot():
        pass


def test_who_waits_learns_of_a_loss(tmp_path: Path) -> None:
    losses: list[str] = []

    def waiting() -> None:
        try:
            with Throttle(tmp_path, "one", 1).slot():
                pass
        except LostError as lost:
            losses.append(str(lost))

    first = Throttle(tmp_path, "one", 1)
    second = threading.Thread(target=waiting)
    with first.slot():
        second.start()
        first.lose("web3")
    second.join()
    assert losses == ["web3"]
