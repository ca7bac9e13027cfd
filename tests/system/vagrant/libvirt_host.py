# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirt that runs while it is needed, and is left as it was found."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

#: Of the scenario's machine, network and storage; nobody else's are touched.
NAME = "oslab-kernel"
#: The network's other end: this host.
HOST = "192.168.123.1"

STORAGE = f"/var/lib/libvirt/images/{NAME}"
DAEMONS = ("virtlogd", "libvirtd")
WAIT_SECONDS = 60.0


class LibvirtError(Exception):
    """Said to the user as it is."""


def virsh(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["virsh", "--connect", "qemu:///system", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def answers() -> bool:
    return virsh("uri").returncode == 0


def names(*listing: str) -> list[str]:
    """What virsh lists, of ours."""
    listed = virsh(*listing, "--all", "--name")
    return [name.strip() for name in listed.stdout.splitlines() if name.strip().startswith(NAME)]


@contextlib.contextmanager
def running(state: Path) -> Iterator[None]:
    """Have libvirt for a while.

    As long as one of our machines exists, what it needs stays: `molecule converge` leaves one.

    @state: directory for the process ids of what was started here.
    """
    state.mkdir(parents=True, exist_ok=True)
    if not answers():
        start(state)
    try:
        if not names("pool-list"):
            have_storage()
        yield
    finally:
        if not names("list"):
            sweep()
            stop(state)


def start(state: Path) -> None:
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "start", "libvirtd"], stdin=subprocess.DEVNULL, check=False)
        (state / "systemd").touch()
    else:
        for daemon in DAEMONS:
            pid_file = state / f"{daemon}.pid"
            subprocess.run(
                [daemon, "--daemon", "--pid-file", pid_file], stdin=subprocess.DEVNULL, check=False
            )
    until = time.monotonic() + WAIT_SECONDS
    while not answers():
        if time.monotonic() > until:
            raise LibvirtError(f"libvirt does not answer: {virsh('uri').stderr.strip()}")
        time.sleep(0.5)


def have_storage() -> None:
    """Vagrant makes no pool but one named default; a network it makes by itself."""
    for step in (
        ("pool-define-as", NAME, "dir", "--target", STORAGE),
        ("pool-build", NAME),
        ("pool-start", NAME),
    ):
        done = virsh(*step)
        if done.returncode != 0:
            raise LibvirtError(f"virsh {' '.join(step)}: {done.stderr.strip()}")


def stop(state: Path) -> None:
    """End what was started here, by this run or an earlier one."""
    systemd = state / "systemd"
    if systemd.exists():
        # The sockets would start it again.
        sockets = [f"libvirtd{kind}.socket" for kind in ("", "-ro", "-admin")]
        subprocess.run(
            ["systemctl", "stop", *sockets, "libvirtd"], stdin=subprocess.DEVNULL, check=False
        )
        systemd.unlink()
    for daemon in reversed(DAEMONS):
        pid_file = state / f"{daemon}.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(pid_file.read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() == daemon:
                os.kill(pid, signal.SIGTERM)
        pid_file.unlink(missing_ok=True)


def sweep() -> None:
    """Remove our network and our storage with the box's disk in it."""
    for network in names("net-list"):
        virsh("net-destroy", network)
        virsh("net-undefine", network)
    for pool in names("pool-list"):
        for line in virsh("vol-list", "--pool", pool).stdout.splitlines()[2:]:
            if line.strip():
                virsh("vol-delete", "--pool", pool, line.split()[0])
        virsh("pool-destroy", pool)
        # The empty directory, then what libvirt knows of it.
        virsh("pool-delete", pool)
        virsh("pool-undefine", pool)
