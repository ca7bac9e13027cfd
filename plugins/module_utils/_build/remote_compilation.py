# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile on other machines, or reuse what they have compiled. The packages are the same.

So none of it is in the build id, and a worker whose compiler makes another object of
a small program is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import FullRunner

DISTCC, ICECC = "distcc", "icecc"
# They may hold a password or a token, and a build needs none of them to be the same.
UNSHOWN = ("CCACHE_REMOTE_STORAGE", "CCACHE_SECONDARY_STORAGE")


PROBE = "static const int oslab[] = {3, 1};\nint probe(int i) { return oslab[i & 1] * i; }\n"
# Seconds until a worker that does not answer is left out.
TIMEOUT = 10


class RemoteError(Exception):
    """Remote compilation is impossible as configured; the message names the variable."""


@dataclass(frozen=True)
class Remote:
    program: str = ""  # distcc or icecc
    hosts: str = ""  # of distcc, as it writes them
    ccache_remote: str = ""  # as ccache writes it


NONE = Remote()


def directory(work: Path) -> Path:
    """Where distcc notes who is busy. It has to be there."""
    return work / "distcc"


def wrapper(remote: Remote, ccache: bool) -> str:
    """What stands before the compiler's name."""
    if ccache:
        return "ccache "  # which calls the other one for what it does not have
    return f"{remote.program} " if remote.program else ""


def environment(remote: Remote, ccache: bool, work: Path) -> dict[str, str]:
    values = {}
    if remote.ccache_remote:
        # The second is its name before ccache 4.7.
        values.update(dict.fromkeys(UNSHOWN, remote.ccache_remote))
    if remote.program and ccache:
        values["CCACHE_PREFIX"] = remote.program
    if remote.program == DISTCC:
        values["DISTCC_HOSTS"] = remote.hosts
        values["DISTCC_DIR"] = str(directory(work))
        # distcc would call x86_64-linux-gnu-gcc, whose --version, which is in .config, is another.
        values["DISTCC_NO_REWRITE_CROSS"] = "1"
    return values


def problem(remote: Remote, ccache: bool, find: Callable[[str], Optional[str]]) -> Optional[str]:
    """What is wrong with the variables, or missing on the builder."""
    if remote.ccache_remote and not ccache:
        return "build_ccache_remote is set, but build_ccache is false: set it to true"
    if remote.hosts and remote.program != DISTCC:
        return "build_distribute_hosts is for distcc: set build_distribute: distcc"
    if remote.program == DISTCC and not remote.hosts.split():
        return "build_distribute is distcc, but build_distribute_hosts names no host"
    if remote.program and not find(remote.program):
        return (
            f"build_distribute is {remote.program}, which the builder lacks: add it to "
            "dependencies_extra_packages"
        )
    return None


def is_local(host: str) -> bool:
    return host.startswith("--") or host.partition("/")[0] == "localhost"


def usable_hosts(remote: Remote, run: FullRunner) -> tuple[str, list[str]]:
    """(the hosts that can be used, those that do not answer).

    One whose compiler is another is an error: it would answer sooner or later.
    """
    used: list[str] = []
    silent: list[str] = []
    other: list[str] = []
    trial = Path(tempfile.mkdtemp(prefix="oslab-distcc-"))
    try:
        source, here, there = (trial / name for name in ("probe.c", "here.o", "there.o"))
        source.write_text(PROBE, encoding="ascii")
        compile_ = ["gcc", "-O2", "-c", "-o"]
        done = run([*compile_, str(here), str(source)])
        if done.status != 0:
            raise RemoteError(f"gcc does not compile on the builder: {done.both.strip()[-300:]}")
        for host in remote.hosts.split():
            if is_local(host):
                used.append(host)
                continue
            there.unlink(missing_ok=True)
            settings = {
                "DISTCC_HOSTS": host,
                "DISTCC_FALLBACK": "0",
                "DISTCC_NO_REWRITE_CROSS": "1",
                "DISTCC_DIR": str(trial),
                "DISTCC_IO_TIMEOUT": str(TIMEOUT),
            }
            argv = ["timeout", str(TIMEOUT), DISTCC, *compile_, str(there), str(source)]
            done = run(argv, environment=settings)
            if done.status != 0 or not there.is_file():
                silent.append(host)
            elif there.read_bytes() != here.read_bytes():
                other.append(host)
            else:
                used.append(host)
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    if other:
        raise RemoteError(
            f"{', '.join(other)} of build_distribute_hosts compiles otherwise than the builder: "
            "install the builder's versions of gcc and binutils there"
        )
    if not [host for host in used if not is_local(host)]:
        raise RemoteError(
            f"no host of build_distribute_hosts compiles ({', '.join(silent)}): see that distccd "
            "runs there, lets this builder in (--allow) and knows gcc"
        )
    return " ".join(used), silent
