# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A filesystem is frozen for a moment, and thawed whatever happens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import fsfreeze


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the requests of this process (p) and of the one that watches it (w)."""
    log = tmp_path / "calls"
    log.write_text("")
    parent = os.getpid()

    def ioctl(descriptor: int, request: int, argument: int) -> int:
        who = "p" if os.getpid() == parent else "w"
        name = {fsfreeze.FIFREEZE: "freeze", fsfreeze.FITHAW: "thaw"}[request]
        with log.open("a") as file:
            file.write(f"{who} {name}\n")
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(os, "sync", lambda: None)
    return log


def test_it_is_thawed_at_once(calls: Path, tmp_path: Path) -> None:
    assert fsfreeze.flush(tmp_path) is True
    # The second one thaws what is thawed, which the kernel refuses without harm.
    assert calls.read_text().splitlines() == ["p freeze", "p thaw", "w thaw"]


def test_it_is_thawed_for_a_process_that_does_not(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsfreeze, "WATCH_SECONDS", 0.1)
    never, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        fsfreeze._watch(never, never)
    assert os.waitpid(child, 0)[1] == 0
    os.close(never)
    os.close(write_end)
    assert calls.read_text() == "w thaw\n"


def test_a_filesystem_that_cannot_be_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError("not supported")

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    monkeypatch.setattr(os, "sync", lambda: None)
    assert fsfreeze.flush(tmp_path) is False
