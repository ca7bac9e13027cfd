# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree is built by one at a time."""

from __future__ import annotations

import json
import subprocess
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import job as build_job
from ansible_collections.oslab.kernel.plugins.module_utils._build.job import Job
from ansible_collections.oslab.kernel.plugins.modules import kernel_build

MINE, OTHERS = "ab" * 32, "cd" * 32


class FailedError(Exception):
    pass


def fail(msg: str, **_facts: Any) -> None:
    raise FailedError(msg)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(build_job, "TRIED_SECONDS", 0.05)
    wait = Job.wait_until_left
    monkeypatch.setattr(Job, "wait_until_left", lambda self, seconds=0.2: wait(self, seconds))
    return Job(tmp_path)


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that leads a group of its own, and has nothing to do with builds."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process.pid
    killed = process.poll()
    process.kill()
    process.wait()
    assert killed is None


def acquire(job: Job, *, force: bool = False) -> None:
    options = types.SimpleNamespace(tree=Path("/srv/linux"), force=force)
    plan = types.SimpleNamespace(build_id=MINE, options=options)
    module = types.SimpleNamespace(fail_json=fail)
    kernel_build.acquire(module, job, plan, {})  # type: ignore[arg-type]


def held(job: Job, state: str, build_id: str, pid: int) -> Job:
    """Somebody has the lock, by whom the status may not be."""
    status = {"state": state, "build_id": build_id, "pid": pid}
    job.status_path.write_text(json.dumps(status))
    holder = Job(job.directory)
    assert holder.acquire()
    return holder


def test_a_free_tree(job: Job) -> None:
    acquire(job)
    assert job.lock_fd >= 0


def test_the_same_build_is_joined_as_long_as_it_is_under_way(job: Job, stranger: int) -> None:
    held(job, "compiling", MINE, stranger)
    acquire(job)
    assert job.lock_fd == -1


@pytest.mark.parametrize(
    ("state", "build_id", "is_there"),
    [
        ("compiling", OTHERS, True),
        # It ended, and somebody else has the lock.
        ("ended", OTHERS, True),
        ("ended", MINE, True),
        # It was killed, and somebody else has the lock.
        ("compiling", OTHERS, False),
    ],
)
def test_no_outcome_of_another_build_is_taken_for_this_one(
    job: Job, stranger: int, state: str, build_id: str, is_there: bool
) -> None:
    holder = held(job, state, build_id, stranger if is_there else 2**22 + 1)
    with pytest.raises(FailedError, match=r"/srv/linux is being built by"):
        acquire(job)
    holder.release()
    acquire(job)
    assert job.lock_fd >= 0


def test_a_forced_build_joins_none(job: Job, stranger: int) -> None:
    held(job, "compiling", MINE, stranger)
    with pytest.raises(FailedError):
        acquire(job, force=True)
