# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build that is killed by SIGKILL, with all that it has started, and gone on with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


def start(argv: list[str], said: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        argv,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(said)
    return process


def kill_after(seconds: float, process: subprocess.Popen[str], status: Path) -> str:
    """Who waits for the build, and the build; `status` is the file in which that says its pid.

    What the build said last.
    """
    started = time.time()
    line = "nothing"
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    with contextlib.suppress(OSError, ValueError, KeyError):
        # An earlier build's number may be somebody else's by now.
        if status.stat().st_mtime >= started:
            told = json.loads(status.read_text(encoding="utf-8"))
            line = told.get("line") or line
            os.killpg(told["pid"], signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return line


def half_made(store: Path) -> list[Path]:
    """What bears a build's name, and is none."""
    bad = []
    builds = [] if not store.exists() else list(store.iterdir())
    for build in [path for path in builds if not path.name.startswith(".")]:
        try:
            record = json.loads((build / "build.json").read_text(encoding="utf-8"))
            for package in record["packages"].values():
                argv = ["dpkg-deb", "--contents", str(build / package["file"])]
                subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError):
            bad.append(build)
    return bad
