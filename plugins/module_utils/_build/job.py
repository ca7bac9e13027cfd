# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that outlives the module that started it, one at a time in a directory.

In the directory: `lock` (held by the job and every process that it starts, so that it is free
only when the last of them is gone), `status.json` (how far it is), `outcome.json` (how it ended;
not there as long as it runs) and `watched` (touched by whoever waits for it). A job that nobody
waits for any more stops by itself: so it does when the control node is interrupted or lost.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id, json_file, lock
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# Seconds after which a job that nobody watches stops. Those who watch touch the file every second.
LEASE = 45
# Those who wait for a job try the lock for an instant.
TRIED_SECONDS = 0.4


class StoppedError(Exception):
    """The job is asked to end before it is done."""


class Job:
    """What is known about the job of a directory, from outside and from within."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock_path = directory / "lock"
        self.status_path = directory / "status.json"
        self.outcome_path = directory / "outcome.json"
        self.watched_path = directory / "watched"
        self.lock_fd = -1
        self.stop_asked = False
        self._touched = 0
        self._seen = time.monotonic()

    # --- from outside

    def status(self) -> dict[str, Any]:
        return json_file.read(self.status_path) or {}

    def broken_off(self) -> Optional[str]:
        """What took the last job before it could say how it ended: `kill`, `machine` or nothing."""
        status = self.status()
        if status.get("state", "ended") == "ended":
            return None
        return "kill" if status.get("boot_id") == boot_id.read() else "machine"

    def outcome(self) -> Optional[dict[str, Any]]:
        return json_file.read(self.outcome_path)

    def watch(self) -> None:
        self.watched_path.touch()

    def unwatched(self) -> float:
        """Seconds since this object last saw a sign of somebody who waits for the job.

        By the clock that neither jumps nor runs while the machine sleeps: the time stamp of the
        file only tells that it was touched.
        """
        try:
            touched = self.watched_path.stat().st_mtime_ns
        except OSError:
            touched = 0
        if touched != self._touched:
            self._touched, self._seen = touched, time.monotonic()
        return time.monotonic() - self._seen

    def acquire(self) -> bool:
        """Acquire the lock if it is free."""
        workdir.make(self.directory)
        descriptor = lock.open_file(self.lock_path)
        if not lock.acquire(descriptor, TRIED_SECONDS):
            os.close(descriptor)
            return False
        self.lock_fd = descriptor
        return True

    def release(self) -> None:
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def running(self) -> bool:
        if not self.acquire():
            return True
        self.release()
        return False

    def alive(self) -> bool:
        """Whether the job's process exists. What it started may hold the lock without it."""
        try:
            stat = Path("/proc", str(self.status()["pid"]), "stat").read_text(encoding="utf-8")
        except (KeyError, OSError):
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def left_behind(self) -> bool:
        """Whether only processes that a killed job started hold the lock."""
        for _look in range(2):  # one that has just started may not have said so yet
            if self.status().get("state", "ended") == "ended" or self.alive():
                return False
            time.sleep(1)
        return bool(self._members())

    def _members(self) -> list[int]:
        """Processes of the last job's group that have the lock's file open.

        Whoever only tries the lock has it open, too, and is in another group. So is a process that
        has the job's number now, long after the job's end.
        """
        group, found = self.status().get("pid"), []
        for path in Path("/proc").iterdir():
            if not path.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if os.getpgid(int(path.name)) == group and any(
                    one.samefile(self.lock_path) for one in (path / "fd").iterdir()
                ):
                    found.append(int(path.name))
        return found

    def holder(self) -> str:
        """Who holds the lock, in words."""
        status = self.status()
        return (
            f"process {status.get('pid', '?')} on {status.get('host', 'this host')}, "
            f"since {status.get('since', 'an unknown time')}"
            + (f", for build {status['build_id'][:12]}" if status.get("build_id") else "")
        )

    def wait_until_left(self, seconds: float = LEASE + 30) -> bool:
        """Wait for an abandoned job to end. False as soon as somebody is seen to watch it."""
        started = time.monotonic()
        self.unwatched()
        first = self._touched
        while time.monotonic() - started < seconds:
            if self.acquire():
                return True
            time.sleep(0.5)
            self.unwatched()
            if self._touched != first:
                return False
        self.kill()
        return self.acquire()

    def kill(self) -> None:
        """End a job that does not end by itself, with every process that it started."""
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if not self._members():
                return
            with contextlib.suppress(OSError):
                os.killpg(self.status()["pid"], signum)
            for _attempt in range(20):
                if not self.running():
                    return
                time.sleep(0.25)

    def wait(self) -> Optional[dict[str, Any]]:
        """How the job ended; None if it vanished without saying."""
        while self.outcome() is None and self.running():
            self.watch()
            time.sleep(0.5)
        return self.outcome()

    # --- from within

    def start(self, work: Callable[[], dict[str, Any]], facts: dict[str, Any]) -> None:
        """Run `work` detached, holding the lock that this process has acquired."""
        self.outcome_path.unlink(missing_ok=True)
        self.watch()
        child = os.fork()
        if child != 0:
            os.waitpid(child, 0)
            self.release()
            return
        # From here on never return: the caller's code belongs to the module.
        try:
            os.setsid()
            if os.fork() == 0:
                self._run(work, facts)
        finally:
            os._exit(0)

    def _run(self, work: Callable[[], dict[str, Any]], facts: dict[str, Any]) -> None:
        os.setpgid(0, 0)  # the group is known by this process, which is in the status
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        for fd in _open_fds():
            if fd > 2 and fd != self.lock_fd:
                with contextlib.suppress(OSError):
                    os.close(fd)
        os.umask(workdir.UMASK)
        signal.signal(signal.SIGTERM, self._on_term)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, lambda *_args: None)  # unlike SIG_IGN, not inherited
        since = time.strftime("%Y-%m-%d %H:%M:%S %Z")
        self.facts = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "boot_id": boot_id.read(),
            "since": since,
            **facts,
        }
        self.report("started", "build: started")
        state = "broken"
        try:
            outcome = work()
            state = "ended"
        except StoppedError as error:
            outcome = {"failed": True, "ended": int(time.time()), "msg": str(error)}
        except Exception:
            message = f"the build broke off:\n{traceback.format_exc()}"
            outcome = {"failed": True, "ended": int(time.time()), "msg": message}
        self.report(state, "")
        json_file.write(self.outcome_path, outcome)

    def _on_term(self, *_args: object) -> None:
        self.stop_asked = True

    def report(self, state: str, line: str) -> None:
        value = {**self.facts, "state": state, "line": line}
        # Once a second: to wait for the disk each time would hold the build up.
        json_file.write(self.status_path, value, durable=False)

    def check(self) -> None:
        """Raise StoppedError if the job is to end."""
        if self.stop_asked:
            raise StoppedError("the build was stopped; the same call continues it")
        if self.unwatched() > LEASE:
            raise StoppedError("nobody waits for the build any more; the same call continues it")


def _open_fds() -> list[int]:
    return [int(path.name) for path in Path("/proc/self/fd").iterdir()]
