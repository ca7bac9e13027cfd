# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder with another system than this one: a root file system that is all that it has.

bubblewrap enters it, as root, with the network of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder
from ansible_collections.oslab.kernel.tests.lib.playbook import CONNECTIONS, ROOT, Run
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

# What a control node needs; the role dependencies installs what the builder needs besides.
PACKAGES = ("ansible-core", "ca-certificates", "python3-apt", "procps")
# Other names, paths, languages and times than those of this machine.
HOSTNAME, HOME, CHECKOUT = "elsewhere", "/srv/bob", "/usr/share/kernel"
VARIABLES = {"LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland", "USER": "bob", "HOME": HOME}
# Kconfig asks these for their versions, if they are there.
COMPILERS = {
    "rustc": "rustc 1.99.0 (0123456789 2026-01-01)",
    "bindgen": "bindgen 0.99.0",
    "clang": "clang version 99.0.0",
}


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
    half.rename(root)
    return root


class OtherSystem(Builder):
    """A builder in a root file system; what is its own is in one directory of this machine's."""

    def __init__(self, directory: Path, tarball: Path, root: Path) -> None:
        super().__init__(directory, tarball)
        self._directory, self._root = directory, root

    def seen(self, path: Path) -> str:
        return f"{HOME}/{path.relative_to(self._directory)}"

    def play(self, book: str, *options: str, inventory: Path) -> Run:
        argv = ["bwrap", "--dev-bind", str(self._root), "/", "--dev", "/dev", "--proc", "/proc"]
        argv += ["--ro-bind", "/sys", "/sys", "--tmpfs", "/run", "--tmpfs", "/tmp"]
        argv += ["--bind", str(self._directory), HOME]
        argv += ["--ro-bind", str(ROOT), CHECKOUT]
        argv += ["--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"]
        argv += ["--unshare-pid", "--unshare-uts", "--unshare-ipc", "--hostname", HOSTNAME]
        argv += ["--cap-add", "ALL", "--die-with-parent", "--new-session", "--chdir", CHECKOUT]
        argv += ["ansible-playbook", "--inventory", self.seen(inventory)]
        done = subprocess.run(
            [*argv, *options, f"{CHECKOUT}/playbooks/{book}"],
            env={
                **{name: value for name, value in os.environ.items() if "proxy" in name.lower()},
                **VARIABLES,
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
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
