# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of a build run: on the builder as it is, or in a build root.

This is the one place that makes a command line of bubblewrap. In a build root there is no network,
nothing runs as root, and nothing can be written to but what is named here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import enter
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    FullRunner,
    Result,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

BWRAP = "bwrap"
# In the directory of a root: the file system, and what it consists of.
TREE, RECORD, ENTER = "tree", "root.json", "enter.py"
# By its loader, because Ansible may have sent this collection as an archive.
ENTER_SCRIPT: bytes = vars(enter)["__loader__"].get_data(enter.__file__)
# What a root has to have of the latter.
FIELDS = ("id", "suite", "architecture", "packages", "mirrors", "keyring_sha256")
# The user that a build is in the root. Outside it is whoever carries the build out.
UID = 1000
PATH = "/usr/local/bin:/usr/bin:/bin"
VARIABLES = {"PATH": PATH, "HOME": "/"}
# Where a root's programs are, as PATH and what `plan.program_path` adds to it.
_PROGRAMS = ("usr/local/bin", "usr/bin", "bin", "usr/sbin", "sbin")
# Of the root's own top they are not shown: they are empty, made anew, or of no use to a build.
_HIDDEN = {"boot", "dev", "home", "media", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp"}
# Of /var only dpkg's record is shown, for the .buildinfo.
_DPKG = "var/lib/dpkg"
# Packages whose version decides what ccache may take from its cache.
_COMPILERS = ("binutils", "cpp-", "gcc-", "libbinutils", "libctf")


@dataclass(frozen=True)
class Environment:
    """The builder as it is."""

    def find(self, name: str, path: Optional[str] = None) -> Optional[str]:
        """Where a program is; None if it is not there."""
        return shutil.which(name, path=path)

    def inherited(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """What a build takes over of the environment of whoever starts it."""
        return own

    def command(
        self, argv: Sequence[str], directory: Optional[Path], values: Mapping[str, str]
    ) -> list[str]:
        """The command line that runs a program there, with these variables and no others."""
        del directory, values  # the caller sets them
        return list(argv)

    def variables(self, values: Mapping[str, str]) -> dict[str, str]:
        """The environment of the process itself that `command` starts."""
        return dict(values)

    def shell_command(self, argv: Sequence[str], directory: Path, shown: Mapping[str, str]) -> str:
        """The line to paste into a shell in order to run it by hand."""
        assignments = [f"{name}={value}" for name, value in shown.items()]
        line = shlex.join(["env", "-i", *assignments, *argv])
        return f"cd {shlex.quote(str(directory))} && {line}"

    def prepare(self) -> None:
        """Make the directories that a build needs there."""

    def also_writing(self, path: Path) -> Environment:
        """The same, where programs can also write to this directory."""
        del path
        return self

    def runner(self, run: FullRunner) -> FullRunner:
        """The same runner for programs of this environment."""
        return run

    def consists_of(self) -> Mapping[str, Any]:
        """The record of a build root."""
        return {}

    def stated(self) -> dict[str, Any]:
        """What the manifest says of it, which the build id covers."""
        return {}

    def compilers(self) -> str:
        """What the compilers are, beyond what they say themselves."""
        return ""

    def problem(self) -> Optional[str]:
        """Why nothing can run there."""
        return None


HOST = Environment()


@dataclass(frozen=True)
class BuildRoot(Environment):
    """A root file system made of Debian packages, entered by bubblewrap."""

    directory: Path = Path()
    record: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    writable: Sequence[Path] = ()
    readable: Sequence[Path] = ()
    #: The directory that is /tmp there; without one /tmp is in memory.
    temporary: Optional[Path] = None
    # Before bubblewrap's arguments.
    enter: Sequence[str] = (BWRAP,)

    @property
    def tree(self) -> Path:
        return self.directory / TREE

    def find(self, name: str, path: Optional[str] = None) -> Optional[str]:
        del path  # the root has one of its own
        # A link there may lead to a path that only the root has.
        for place in _PROGRAMS:
            if os.path.lexists(self.tree / place / name):
                return f"/{place}/{name}"
        return None

    def inherited(self, own: Mapping[str, str]) -> Mapping[str, str]:
        del own
        return VARIABLES

    def _mounts(self) -> list[str]:
        mounts: list[str] = []
        for path in sorted(self.tree.iterdir()):
            if path.is_symlink():
                mounts += ["--symlink", str(path.readlink()), f"/{path.name}"]
            elif path.is_dir() and path.name not in {*_HIDDEN, "var"}:
                mounts += ["--ro-bind", str(path), f"/{path.name}"]
        mounts += ["--ro-bind", str(self.tree / _DPKG), f"/{_DPKG}"]
        # Where root starts it, the kernel would let the user inside write to the settings in there,
        # since that user is root outside.
        mounts += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
        if self.temporary and self.temporary.is_dir():
            mounts += ["--bind", str(self.temporary), "/tmp"]
        else:
            mounts += ["--tmpfs", "/tmp"]
        # What is not there yet is of no use to those who only ask for versions.
        for option, paths in (("--ro-bind", self.readable), ("--bind", self.writable)):
            for path in paths:
                if path.is_dir():
                    mounts += [option, str(path), str(path)]
        # The top, in which bubblewrap has made the directories above, is in memory.
        return [*mounts, "--remount-ro", "/"]

    def command(
        self, argv: Sequence[str], directory: Optional[Path], values: Mapping[str, str]
    ) -> list[str]:
        wrapped = [*self.enter, "--unshare-all", "--unshare-user", "--uid", str(UID)]
        wrapped += ["--gid", str(UID), "--hostname", "kernel"]
        # Nothing stays behind when the build is killed, and nothing types into its terminal.
        wrapped += ["--die-with-parent", "--new-session", *self._mounts(), "--clearenv"]
        for name, value in values.items():
            wrapped += ["--setenv", name, value]
        return [*wrapped, "--chdir", str(directory or "/"), "--", *argv]

    def variables(self, values: Mapping[str, str]) -> dict[str, str]:
        return {}

    def shell_command(self, argv: Sequence[str], directory: Path, shown: Mapping[str, str]) -> str:
        return shlex.join(self.command(argv, directory, shown))

    def prepare(self) -> None:
        for path in (*self.writable, *self.readable):
            workdir.make(path)
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)
            workdir.make(self.temporary)

    def also_writing(self, path: Path) -> Environment:
        return replace(self, writable=(*self.writable, path))

    def runner(self, run: FullRunner) -> FullRunner:
        def run_there(
            argv: Sequence[str],
            cwd: Optional[Path] = None,
            environment: Optional[Mapping[str, str]] = None,
        ) -> Result:
            values = {**VARIABLES, **LOCALE, **(environment or {})}
            return run(self.command(argv, cwd, values))

        return run_there

    def consists_of(self) -> Mapping[str, Any]:
        return self.record

    def stated(self) -> dict[str, Any]:
        names = ("id", "suite", "architecture")
        packages = {each["name"]: each["version"] for each in self.record["packages"]}
        return {"build_root": {**{name: self.record[name] for name in names}, "packages": packages}}

    def compilers(self) -> str:
        return "\n".join(
            f"{each['name']} {each['version']} {each['sha256']}"
            for each in self.record["packages"]
            if each["name"].startswith(_COMPILERS)
        )

    def problem(self) -> Optional[str]:
        shown = {path.name for path in self.tree.iterdir()} - _HIDDEN | {"dev", "proc", "tmp"}
        for path in (*self.writable, *self.readable):
            top = path.parts[1:2]
            if not top:
                return "the directory that the build tree is in is /: choose another build_tree"
            below_temporary = top[0] == "tmp" and len(path.parts) > 2
            dpkg = Path("/", _DPKG)
            if top[0] == "var":
                if path in dpkg.parents or path == dpkg or dpkg in path.parents:
                    return _hides(path)
            elif top[0] in shown and not below_temporary:
                return _hides(path)
        return None


def _hides(path: Path) -> str:
    return (
        f"{path} would hide a directory of the build root: with build_environment: root, choose a "
        "build_tree (source_workdir) elsewhere, such as below /var/lib or /srv"
    )


def read(
    directory: Optional[Path],
    writable: Sequence[Path],
    readable: Sequence[Path] = (),
    temporary: Optional[Path] = None,
    find: Callable[[str], Optional[str]] = shutil.which,
    uid: Optional[int] = None,
) -> Environment:
    """The environment of the root in `directory`, or the builder's own. Raises InputError."""
    if directory is None:
        return HOST
    record = json_file.read(directory / RECORD)
    if record is None or any(name not in record for name in FIELDS):
        raise InputError(f"there is no build root in {directory}: run the module build_root first")
    bwrap = find(BWRAP)
    if bwrap is None:
        raise InputError("the builder lacks bwrap: run the role dependencies (package bubblewrap)")
    entered = [bwrap]
    if (os.geteuid() if uid is None else uid) == 0:
        if not (directory / ENTER).is_file():
            raise InputError(f"{directory} has no {ENTER}: run the module build_root first")
        entered = [sys.executable, "-I", str(directory / ENTER), bwrap]
    found = BuildRoot(
        directory, record, tuple(writable), tuple(readable), temporary, tuple(entered)
    )
    problem = found.problem()
    if problem:
        raise InputError(problem)
    return found
