# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment lock: one run at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import deploy_lock
from ansible_collections.oslab.kernel.plugins.module_utils._host.deploy_lock import (
    Lock,
    acquire,
    holder,
    release,
)

ONE, OTHER = Lock("one", "Ada", 100), Lock("other", "Bob", 130)


def test_the_second_learns_who_was_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert acquire(path, ONE, 10) is None
    assert acquire(path, OTHER, 20) == ONE
    # The first may come again, and for longer.
    longer = Lock("one", "Ada", 200)
    assert acquire(path, longer, 30) is None
    assert acquire(path, OTHER, 150) == longer


def test_a_lock_expires(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    acquire(path, ONE, 10)
    assert acquire(path, OTHER, 99) == ONE
    assert acquire(path, OTHER, 100) is None
    assert acquire(path, ONE, 101) == OTHER


def test_a_run_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    acquire(path, ONE, 10)
    assert acquire(path, OTHER, 20, gone="somebody else") == ONE
    assert acquire(path, OTHER, 20, gone="one") is None


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path, "one", 10) is None
    assert not path.exists()
    acquire(path, ONE, 10)
    before = path.read_bytes()
    assert holder(path, "other", 20) == ONE
    assert holder(path, "one", 20) is None
    assert holder(path, "other", 100) is None
    assert holder(path, "other", 20, gone="one") is None
    assert path.read_bytes() == before


def test_reading_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        holder(tmp_path / "pipe", "one", 10)
    with pytest.raises(IsADirectoryError):
        holder(tmp_path, "one", 10)


def test_releasing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    release(path, "one")
    assert not path.exists()
    acquire(path, ONE, 10)
    release(path, "other")
    assert acquire(path, OTHER, 20) == ONE
    release(path, "one")
    assert acquire(path, OTHER, 20) is None


def test_what_cannot_be_read_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    never = '{"run": "one", "text": "Ada", "until": 1e999}'
    for text in ("", "{", "[]", '{"run": "one"}', "[" * 5000, never):
        path.write_text(text)
        assert acquire(path, OTHER, 20) is None
    path.write_bytes(b"\xff")
    assert acquire(path, OTHER, 20) is None


def test_nobody_else_can_lock_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can read a file can lock it, and would hold up every run for ever."""
    path = tmp_path / "lock"
    path.touch(0o644)  # as an older release left it
    acquire(path, ONE, 10)
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(deploy_lock, "TIMEOUT", 0.2)
    with path.open() as somebody:
        fcntl.flock(somebody, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            acquire(path, OTHER, 20)
        with pytest.raises(BlockingIOError):
            release(path, "one")
    assert acquire(path, OTHER, 20) == ONE
