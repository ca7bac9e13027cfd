# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A detached job, its lock and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import job as build_job
from ansible_collections.oslab.kernel.plugins.module_utils._build.job import Job, StoppedError

FACTS = {"build_id": "0123456789abcdef"}


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "work")


def other(job):
    """The same job, as another process sees it."""
    return Job(job.directory)


def start(job, work):
    assert job.acquire()
    job.start(work, FACTS)


def after(seconds, **outcome):
    """Work that takes so long."""

    def work():
        time.sleep(seconds)
        return outcome

    return work


def unforeseen():
    raise KeyError("missing")


def wait_for(condition, seconds=10):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "waited in vain"
        time.sleep(0.05)


def test_it_runs_apart_and_says_how_it_ended(job):
    start(job, lambda: {"changed": True, "by": os.getpid()})
    outcome = other(job).wait()
    assert outcome["changed"] is True
    assert outcome["by"] != os.getpid()
    assert job.status()["state"] == "ended"
    wait_for(lambda: not job.running())


def test_only_one_at_a_time(job):
    start(job, after(2))
    second = other(job)
    assert not second.acquire()
    wait_for(second.status)
    assert "for build 0123456789ab" in second.holder()
    assert f"process {second.status()['pid']} on " in second.holder()
    assert second.wait() == {}


def test_an_unforeseen_error_is_an_outcome(job):
    start(job, unforeseen)
    outcome = job.wait()
    assert outcome["failed"]
    assert "KeyError: 'missing'" in outcome["msg"]
    assert job.status()["state"] == "broken"


def test_one_that_is_killed_leaves_no_outcome_and_no_lock(job):
    start(job, after(60))
    wait_for(job.status)
    os.kill(job.status()["pid"], signal.SIGKILL)
    assert job.wait() is None
    assert job.acquire()
    assert job.status()["state"] not in ("ended", None)
    assert job.broken_off() == "kill"


def test_one_that_the_machine_took_with_it(job, monkeypatch):
    start(job, after(60))
    wait_for(job.status)
    os.kill(job.status()["pid"], signal.SIGKILL)
    job.wait()
    monkeypatch.setattr(build_job.boot_id, "read", lambda: "another")
    assert job.broken_off() == "machine"


def test_one_that_ended_was_not_broken_off(job):
    assert job.broken_off() is None
    start(job, lambda: {"changed": True})
    job.wait()
    assert job.broken_off() is None


def test_the_lock_is_held_by_what_the_job_started(job):
    def work():
        subprocess.run(["sleep", "60"], pass_fds=[job.lock_fd], check=False)
        return {}

    start(job, work)
    wait_for(job.status)
    time.sleep(0.3)
    assert not job.left_behind()
    os.kill(job.status()["pid"], signal.SIGKILL)
    wait_for(lambda: not job.alive())
    assert job.left_behind()
    assert not other(job).acquire()
    job.kill()
    assert other(job).acquire()


def test_who_has_the_number_of_a_job_of_the_past_is_left_alone(job):
    holder = other(job)
    assert holder.acquire()
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        for state in ("compiling", "ended"):
            status = {"pid": stranger.pid, "state": state}
            job.status_path.write_text(json.dumps(status))
            assert not job.left_behind()
            assert not job.wait_until_left(seconds=0.1)
            assert stranger.poll() is None
        job.status_path.write_text(json.dumps({"pid": 2**22 + 1, "state": "compiling"}))
        assert not job.left_behind()
    finally:
        stranger.kill()
        stranger.wait()


def test_one_that_nobody_watches_stops(job, monkeypatch):
    monkeypatch.setattr(build_job, "LEASE", 0.5)

    def work():
        while True:
            job.check()
            time.sleep(0.1)

    start(job, work)
    wait_for(job.outcome)
    assert "nobody waits" in job.outcome()["msg"]
    assert job.status()["state"] == "broken"


def test_asked_to_stop_it_stops(job):
    def work():
        while True:
            job.check()
            time.sleep(0.1)

    start(job, work)
    wait_for(job.status)
    os.kill(job.status()["pid"], signal.SIGTERM)
    outcome = job.wait()
    assert outcome["failed"]
    assert "the same call continues it" in outcome["msg"]
    with pytest.raises(StoppedError):
        job.stop_asked = True
        job.check()


def test_an_abandoned_job_is_waited_for(job, monkeypatch):
    monkeypatch.setattr(build_job, "LEASE", 1)

    def work():
        while True:
            job.check()
            time.sleep(0.1)

    start(job, work)
    assert other(job).wait_until_left()


def test_an_abandoned_job_that_hangs_is_ended(job):
    start(job, after(60))
    wait_for(job.status)
    assert other(job).wait_until_left(seconds=0.1)


def test_a_watched_job_is_left_alone(job):
    start(job, after(4, changed=True))
    watcher = subprocess.Popen(
        ["sh", "-c", f"for n in 1 2 3 4; do touch '{job.watched_path}'; sleep 1; done"]
    )
    assert not other(job).wait_until_left()
    watcher.wait()
    assert job.wait() == {"changed": True}


def test_others_cannot_hold_the_lock(tmp_path):
    """Who can open a file for reading can lock it."""
    job = Job(tmp_path)
    assert job.acquire()
    assert job.lock_path.stat().st_mode & 0o777 == 0o600
    job.release()
