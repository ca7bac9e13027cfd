# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that says who holds it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.lock import (
    HeldError,
    acquire,
    held,
    held_and_removed,
    open_file,
)


def test_the_holder_is_named_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        held(path, 0, "with 6.8"),
        pytest.raises(HeldError, match=rf"process {os.getpid()} on .*, since .*, with 6.8"),
        held(path, 0.3, "with 6.12"),
    ):
        pass
    with held(path, 0, "with 6.12"):
        assert "with 6.12" in path.read_text()
        assert "6.8" not in path.read_text()


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    order = []

    def second() -> None:
        with held_and_removed(path):
            order.append("second")

    with held_and_removed(path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_run_left_is_free(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.write_text("50 %")
    with held_and_removed(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_of_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = open_file(path), open_file(path)
    assert acquire(first, 0)
    assert not acquire(second, 0.2)
    os.close(first)
    assert acquire(second, None)
    os.close(second)


def test_without_a_purpose_the_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("40 %")
    with held(path), pytest.raises(HeldError, match=r"^40 %$"), held(path, 0):
        pass
    assert path.read_text() == "40 %"


def test_others_cannot_hold_it(tmp_path):
    """Who can open a file for reading can lock it."""
    path = tmp_path / "lock"
    path.touch()
    path.chmod(0o666)
    with held(path, 1, "a test"):
        assert path.stat().st_mode & 0o777 == 0o600
