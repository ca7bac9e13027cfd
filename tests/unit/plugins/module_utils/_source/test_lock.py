# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time, and what it says."""

from __future__ import annotations

import io
import threading

from ansible_collections.oslab.kernel.plugins.module_utils._source import lock as locks


def test_one_at_a_time_and_nothing_is_left(tmp_path):
    path = tmp_path / ".lock"
    order = []

    def second():
        with locks.held(path):
            order.append("second")

    with locks.held(path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_run_left_is_free(tmp_path):
    path = tmp_path / ".lock"
    path.write_text("50 %")
    with locks.held(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_lines_come_once_a_second():
    now = [0.0]
    stream = io.StringIO()
    report = locks.Reporter(stream, clock=lambda: now[0])
    for step in range(50):
        now[0] = step / 10
        report(step << 20, 100 << 20, "https://cdn.example.org/x")
        if step == 45:
            said = stream.getvalue()
    assert said == "40 % of 100 MiB, 10.0 MiB/s, from cdn.example.org\n"
    report.say("done")
    assert stream.getvalue() == "done\n"


def test_lines():
    assert locks.line(1 << 20, None, 0, "https://a/x") == "1 MiB, from a"
    assert locks.line(1 << 20, 3 << 20, 0, "file:///x") == "33 % of 3 MiB, from file:///x"


def test_others_cannot_hold_it(tmp_path):
    """Who can open a file for reading can lock it."""
    path = tmp_path / "lock"
    path.touch()
    path.chmod(0o666)
    with locks.held(path):
        assert path.stat().st_mode & 0o777 == 0o600
