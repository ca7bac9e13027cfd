# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder with another system than this one: a root file system that is all that it has.

It is entered by mounts and pivot_root, not by chroot: from a chroot nobody makes a user namespace,
which a build root needs. bubblewrap would take away that programs become root, and mmdebstrap of an
ordinary user calls one that does (newuidmap).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder
from ansible_collections.oslab.kernel.tests.lib.playbook import CONNECTIONS, ROOT, Run
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

# What a control node needs, and an ordinary user who makes a build root; the role dependencies
# installs what the builder needs besides.
PACKAGES = ("ansible-core", "ca-certificates", "mount", "procps", "python3-apt", "uidmap")
# Other names, paths, languages and times than those of this machine.
HOSTNAME, USER, UID, HOME, CHECKOUT = "elsewhere", "bob", 4242, "/srv/bob", "/usr/share/kernel"
VARIABLES = {"LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland"}
ACCOUNTS = {
    "passwd": f"{USER}:x:{UID}:{UID}::{HOME}:/bin/sh",
    "group": f"{USER}:x:{UID}:",
    "subuid": f"{USER}:300000:65536",
    "subgid": f"{USER}:300000:65536",
}
# Kconfig asks these for their versions, if they are there.
COMPILERS = {
    "rustc": "rustc 1.99.0 (0123456789 2026-01-01)",
    "bindgen": "bindgen 0.99.0",
    "clang": "clang version 99.0.0",
}
# Its arguments: the root file system, the directory that is the home, this checkout, the command.
ENTER = f"""
set -e
mount --bind "$1" "$1"
cd "$1"
mkdir -p .{HOME} .{CHECKOUT}
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$2" .{HOME}
mount --bind -o ro "$3" .{CHECKOUT}
touch etc/resolv.conf
mount --bind /etc/resolv.conf etc/resolv.conf
hostname {HOSTNAME}
pivot_root . mnt
cd {CHECKOUT}
umount --lazy /mnt
shift 3
exec "$@"
"""


def have_root(suite: str, place: Path) -> Path:
    """The root file system, made once."""
    root = place / suite
    if root.exists():
        return root
    log_line(f"making a system of {suite}")
    place.mkdir(parents=True, exist_ok=True)
    half = place / f"{suite}.half"
    shutil.rmtree(half, ignore_errors=True)
    argv = ["mmdebstrap", "--mode=root", "--variant=apt", f"--include={','.join(PACKAGES)}"]
    done = subprocess.run(
        [*argv, suite, str(half)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"no system of {suite} was made:\n{done.stderr[-3000:]}")
    programs = half / "usr/local/bin"
    for name, version in COMPILERS.items():
        (programs / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (programs / name).chmod(0o755)
    for name, line in ACCOUNTS.items():
        with (half / "etc" / name).open("a") as stream:
            stream.write(f"{line}\n")
    half.rename(root)
    return root


class OtherSystem(Builder):
    """A builder in a root file system; what is its own is in one directory of this machine's.

    An ordinary user builds there. `administrator` is root instead, who installs packages.
    `network` is that of this machine, or none.
    """

    PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def __init__(self, directory: Path, tarball: Path, root: Path) -> None:
        super().__init__(directory, tarball)
        self._directory, self._root = directory, root
        self.administrator, self.network = False, True
        for path in (directory, self.repository):
            os.chown(path, UID, UID)

    def seen(self, path: Path) -> str:
        return f"{HOME}/{path.relative_to(self._directory)}"

    def play(self, book: str, *options: str, inventory: Path) -> Run:
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
        argv += [] if self.network else ["--net"]
        argv += ["sh", "-c", ENTER, "sh", str(self._root), str(self._directory), str(ROOT)]
        if not self.administrator:
            argv += ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
            options = (*options, "--extra-vars", "ansible_become=false")
        argv += ["ansible-playbook", "--inventory", self.seen(inventory)]
        done = subprocess.run(
            [*argv, *options, str(Path(CHECKOUT, "playbooks", book))],
            env={
                **{name: value for name, value in os.environ.items() if "proxy" in name.lower()},
                **VARIABLES,
                "USER": "root" if self.administrator else USER,
                "HOME": "/root" if self.administrator else HOME,
                "PATH": self.PATH,
                "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT}/collections",
                "ANSIBLE_CONNECTION_PLUGINS": f"{CHECKOUT}/{CONNECTIONS.relative_to(ROOT)}",
                "ANSIBLE_NOCOLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode())
