# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names a run of ansible-playbook, so that others can tell whether it still goes on."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id

PROC = Path("/proc")
_START = 19  # of the fields behind the program's name in /proc/PID/stat


class Run(NamedTuple):
    """A process, and where that number means it: the same boot of the same machine or container."""

    node: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.node} {self.pid} {self.started}"


def started(pid: int, proc: Path = PROC) -> str:
    """When, in the kernel's ticks, as numbers are given anew; '' if unknown."""
    with contextlib.suppress(OSError, IndexError):
        return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[_START]
    return ""


def node(proc: Path = PROC) -> str:
    boot, namespace = "", ""
    with contextlib.suppress(OSError):
        boot = boot_id.read(proc.parent)
        namespace = str((proc / "self/ns/pid").readlink())
    return ":".join([socket.gethostname(), boot, namespace]).replace(" ", "_")


def of(pid: int) -> Run:
    return Run(node(), pid, started(pid))


def parse(text: str) -> Run | None:
    words = text.split(" ")
    # Digits of the ten, and no more than a process number has: a host may answer anything.
    if len(words) != 3 or not re.fullmatch("[0-9]{1,9}", words[1]):
        return None
    return Run(words[0], int(words[1]), words[2])


def is_gone(text: str) -> bool:
    """Whether that run has ended, for sure. Of another machine's nothing is known."""
    run = parse(text)
    if run is None or run.node != node():
        return False
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return started(run.pid) != run.started


def described(run: Run) -> str:
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user} on {socket.gethostname()} (process {run.pid}, since {since})"


class LockHolder(NamedTuple):
    """The run that holds the lock of a host, as the host says; for how many seconds from now."""

    run: str
    text: str
    seconds: int


def lock_holder(result: Mapping[str, Any]) -> LockHolder | None:
    """What the module deploy_lock returned as C(by), whatever that is; None if no run holds it."""
    by = result.get("by")
    if not by:
        return None
    known = by if isinstance(by, Mapping) else {}
    seconds = known.get("seconds")
    return LockHolder(
        str(known.get("run", "")),
        str(known.get("text", "somebody unknown")),
        seconds if isinstance(seconds, int) else 0,
    )
