# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a build from the control node."""

from __future__ import annotations

import fcntl
import json
import subprocess
import threading
import time

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.oslab.kernel.plugins.action import kernel_build


class Connection:
    resets = 0

    def reset(self):
        self.resets += 1


class Action(kernel_build.ActionModule):
    """With this machine's shell as the connection."""

    def __init__(self, line_end="\n"):
        self._connection = Connection()
        self.line_end = line_end
        self.failures = 0

    def _low_level_execute_command(self, command):
        if self.failures:
            self.failures -= 1
            raise AnsibleConnectionFailure("gone for a moment")
        # Ansible appends to the command as well.
        done = subprocess.run(
            ["sh", "-c", f"{command} && sleep 0"], capture_output=True, text=True, check=False
        )
        out = done.stdout.replace("\n", self.line_end)
        return {"rc": done.returncode, "stdout": out, "stderr": done.stderr}


@pytest.fixture
def work(tmp_path):
    directory = tmp_path / "it's a tree.build"
    directory.mkdir()
    (directory / "lock").touch()
    (directory / "status.json").write_text(json.dumps({"line": "build: 1 of 2"}, indent=2))
    return directory


@pytest.fixture
def running(work):
    with (work / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield work


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_one_that_runs_is_kept_alive(running, line_end):
    started = time.time()
    look = Action(line_end)._look(str(running), 1)
    assert look == ("running", {"line": "build: 1 of 2"})
    assert (running / "watched").exists()
    assert time.time() - started >= 1


def test_one_that_ends_is_seen_at_once(running):
    def end():
        (running / "outcome.json").write_text('{"changed": true}')

    threading.Timer(0.5, end).start()
    started = time.time()
    assert Action()._look(str(running), 20) == ("outcome", {"changed": True})
    assert time.time() - started < 10


def test_one_that_ended_before(work):
    (work / "outcome.json").write_text('{"failed": true}')
    assert Action()._look(str(work), 20) == ("outcome", {"failed": True})


def test_one_that_was_killed(work):
    assert Action()._look(str(work), 20) == ("gone", {})
    result = Action()._wait(str(work), "/the.log")
    assert result["failed"]
    assert "/the.log" in result["msg"]


def test_a_lost_connection_is_made_again(running):
    action = Action()
    action.failures = 1
    assert action._look(str(running), 0)[0] == "running"
    assert action._connection.resets == 1
    action.failures = 2
    with pytest.raises(AnsibleConnectionFailure):
        action._look(str(running), 0)


def test_an_answer_that_makes_no_sense_is_shown(tmp_path):
    with pytest.raises(AnsibleActionFail, match="cannot see"):
        Action()._look(str(tmp_path / "none"), 1)


def test_each_line_is_shown_once(work, monkeypatch):
    looks = iter(
        [
            ("running", {"line": "build: 1 of 2"}),
            ("running", {"line": "build: 1 of 2"}),
            ("running", {"line": "build: 2 of 2"}),
            ("outcome", {"changed": True}),
        ]
    )
    shown: list[str] = []
    monkeypatch.setattr(kernel_build.display, "display", shown.append)
    action = Action()
    monkeypatch.setattr(action, "_look", lambda *_: next(looks))
    assert action._wait(str(work), "log") == {"changed": True}
    assert shown == ["build: 1 of 2", "build: 2 of 2"]


def test_what_a_builder_says_is_safe_to_print(work, monkeypatch):
    looks = iter(
        [
            ("running", {"line": "build: 1 of 2: fs/\x1b[2J\u202ex.c"}),
            ("outcome", {"failed": True, "msg": "x.c:1:\x1b]0;mine\x07\n  error"}),
        ]
    )
    shown: list[str] = []
    monkeypatch.setattr(kernel_build.display, "display", shown.append)
    action = Action()
    monkeypatch.setattr(action, "_look", lambda *_: next(looks))
    assert action._wait(str(work), "log")["msg"] == "x.c:1:\\x1b]0;mine\\x07\n  error"
    assert shown == ["build: 1 of 2: fs/\\x1b[2J\\u202ex.c"]
