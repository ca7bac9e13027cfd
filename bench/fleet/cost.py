# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of ansible-playbook costs the control node, and nobody else."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
# Of looking at all processes' memory, which takes time itself.
_SAMPLE_SECONDS = 2.0
_RECAP = re.compile(r"^\S+ +: ok=(\d+) .*unreachable=(\d+) +failed=(\d+) +skipped=(\d+)", re.M)


class Cost(NamedTuple):
    """Of one run. Memory in MiB."""

    wall: float
    #: Of Ansible, its workers and its ssh clients.
    cpu: float
    #: Seconds of processor of the one process that hands out the tasks: no core can help it.
    serial: float
    #: Memory of that process, which holds the variables of all hosts.
    main: float
    #: Of all of these processes, shared pages counted once.
    all: float
    #: Tasks that were done, summed over the hosts.
    tasks: int
    #: Tasks that were skipped, summed over the hosts.
    skipped: int
    #: Connections that were opened, summed over the hosts.
    logins: int = 0


def _children(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(word) for word in (thread / "children").read_text().split()]
    return found


def _tree(pid: int) -> list[int]:
    found = [pid]
    for child in _children(pid):
        with contextlib.suppress(OSError):
            found += _tree(child)
    return found


def _pss_mib(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(text.split("\nPss:", 1)[1].split()[0])
    return total / 1024


def _own_seconds(pid: int) -> float:
    """Without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _watch(argv: Sequence[str], log: Path, cwd: Path) -> dict[str, float]:
    """In a process of its own: what is orphaned becomes its child, so that all is counted."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start = time.monotonic()
    with log.open("wb") as output:
        ansible = subprocess.Popen(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    peak, ended = 0.0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not ended.wait(_SAMPLE_SECONDS):
            peak = max(peak, _pss_mib(_tree(os.getpid())[1:]))

    sampler = threading.Thread(target=sample)
    sampler.start()
    # It is looked at once more when it has ended, before it is gone.
    os.waitid(os.P_PID, ansible.pid, os.WEXITED | os.WNOWAIT)
    serial = _own_seconds(ansible.pid)
    _pid, status, used = os.wait4(ansible.pid, 0)
    wall = time.monotonic() - start
    ended.set()
    sampler.join()
    # The ssh clients that keep connections open.
    for child in _children(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    all_used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": all_used.ru_utime + all_used.ru_stime,
        "serial": serial,
        "main": used.ru_maxrss / 1024,
        "all": peak,
    }


def measure(
    argv: Sequence[str], log: Path, cwd: Path, environment: Mapping[str, str], hosts: int
) -> Cost:
    """Run it; a run in which a host failed counts for nothing."""
    done = subprocess.run(
        [sys.executable, __file__, str(log), str(cwd), *argv],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    measured = json.loads(done.stdout)
    recap = _RECAP.findall(log.read_text(errors="replace"))
    bad = [row for row in recap if row[1] != "0" or row[2] != "0"]
    if measured["status"] != 0 or bad or len(recap) < hosts:
        raise SystemExit(f"{len(bad)} of {len(recap)} hosts failed; the output is in {log}")
    del measured["status"]
    return Cost(
        **measured,
        tasks=sum(int(row[0]) for row in recap),
        skipped=sum(int(row[3]) for row in recap),
    )


if __name__ == "__main__":
    print(json.dumps(_watch(sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2]))))
