# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a kernel's build is: which objects it will compile, and what its output says.

The objects are estimated from the tree's Makefiles and `.config` in a tenth of a second;
`make --dry-run` takes as long as a build that has nothing to do.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    kernel_makefile,
)

# "  CC [M]  fs/ext4/inode.o"; 6.1 to 7.2 print all steps in this form.
STEP = re.compile(r"^  ([A-Z][A-Z0-9_]+)(?: \[[MURT]+\])?\s+(\S+)$")
COMPILERS = ("CC", "AS")
BUILD_PROGRAMS = ("/", "scripts/", "tools/")

# Linking, module post-processing and packaging, as a share of the time of compiling.
REST_SHARE = 0.08


@dataclass(frozen=True)
class Step:
    """One line of the kernel's short output."""

    action: str
    target: str

    @property
    def compiles(self) -> bool:
        return self.action in COMPILERS

    @property
    def in_kernel(self) -> bool:
        """Not a program of the build itself."""
        return self.target.endswith(".o") and not self.target.startswith(BUILD_PROGRAMS)

    @property
    def source(self) -> str:
        """The source file."""
        suffix = {"CC": ".c", "AS": ".S"}.get(self.action)
        return self.target[:-2] + suffix if suffix and self.target[-2:] == ".o" else self.target


def parse_step(line: str) -> Optional[Step]:
    match = STEP.match(line.rstrip())
    return Step(match.group(1), match.group(2)) if match else None


# --- which objects -----------------------------------------------------------------------------

# The lists of kbuild, and those of places that link by rules of their own.
_LISTS = (
    *("obj", "lib", "core", "drivers"),
    *("vobjs", "vobjs32", "realmode", "purgatory", "vmlinux-objs", "setup"),
)
# A kernel has some 5 000 directories with a Makefile, and 4 MiB of them. A tree that goes beyond
# these is read no further: what is made of it is an estimate.
_DIRECTORIES = 50_000
_BYTES = 64 << 20


def expected_objects(tree: Path, config: Mapping[str, str], arch: str = "x86") -> set[str]:
    """The objects that a whole build of this configuration compiles, nearly all of them.

    It is an estimate: conditions (`ifeq`) and functions of make are ignored. Of the 2162 objects
    of a Linux 6.12 it names 2094, and 32 others. `Progress` counts what it does not name once it
    is compiled. Whatever is in the tree, nothing is raised.
    """
    bits = "64" if config.get("CONFIG_64BIT") == "y" else "32"
    places = ("", "/lib", "/boot", "/boot/compressed", "/realmode/rm")
    todo = ["", "lib", *(f"arch/{arch}{place}" for place in places)]
    seen: set[str] = set()
    objects: set[str] = set()
    left = _BYTES
    while todo and len(seen) < _DIRECTORIES and left > 0:
        directory = todo.pop()
        if directory in seen:
            continue
        seen.add(directory)
        text = _makefile(tree / directory)
        left -= len(text)
        text = text.replace("$(BITS)", bits).replace("$(obj)/", "")
        lists = _enabled(text, config)
        for (name, kind), items in lists.items():
            if name not in _LISTS:
                continue
            # An architecture's Makefile names those two from the top of the tree.
            place = "" if name in ("core", "drivers") else directory
            for item in items:
                if item.endswith("/"):
                    todo.append(_path(place, item))
                elif item.endswith(".o"):
                    stem = item[: -len(".o")]
                    kinds = ("y", "objs", "m") if kind == "m" else ("y", "objs")
                    parts = [part for each in kinds for part in lists.get((stem, each), ())]
                    parts = [part for part in parts if part.endswith(".o")]
                    objects.update(_path(place, part) for part in parts or [item])
                    if kind == "m":
                        objects.add(_path(place, f"{stem}.mod.o"))
    return objects


def _makefile(directory: Path) -> str:
    """Of a directory, Kbuild first, as make reads it. Empty if there is none."""
    for name in ("Kbuild", "Makefile"):
        with contextlib.suppress(OSError):
            return bounded_read.text(directory / name, kernel_makefile.LIMIT)
    return ""


def _enabled(text: str, config: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """List and kind (y, m, objs) → the words that this configuration puts into it."""
    lists: dict[tuple[str, str], list[str]] = {}
    for name, decided, words in kernel_makefile.object_lists(text):
        kind = config.get(decided, "n") if decided.startswith("CONFIG_") else decided
        if kind in ("y", "m", "objs"):
            lists.setdefault((name, kind), []).extend(word for word in words if "$" not in word)
    return lists


def _path(directory: str, item: str) -> str:
    """The path without detours; none leads out of the tree."""
    return posixpath.normpath(f"/{directory}/{item}").lstrip("/")


# --- how far -----------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """In the largest two units: `47 s`, `2 min 13 s`, `1 h 4 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@dataclass
class Progress:
    """Follows the output of a build; `describe` says in one line how far it is."""

    started: float
    expected: set[str]
    present: set[str] = field(default_factory=set)
    phase: str = "preparing"
    compiled: int = 0
    last: str = ""
    _done: set[str] = field(default_factory=set)
    _first: float = 0.0

    @property
    def total(self) -> int:
        return len(self.expected | self._done)

    @property
    def done(self) -> int:
        """Objects of the whole that are there, be it from an earlier run."""
        return len(self.present | self._done)

    def feed(self, line: str, now: float) -> None:
        step = parse_step(line)
        if step is None:
            if "dpkg-deb: building package" in line or line.startswith("building package"):
                self.phase = "packaging"
                self.last = line.split("'")[1] if "'" in line else ""
            return
        if step.compiles and step.in_kernel:
            self.compiled += 1
            self._done.add(step.target)
            self.last = step.source
            self.phase = "compiling"
            self._first = self._first or now
        elif step.action == "LD" and step.target.startswith((".tmp_vmlinux", "vmlinux")):
            self.phase, self.last = "linking", "vmlinux"
        elif step.action == "MODPOST":
            self.phase, self.last = "linking", "the modules"
        elif step.target.startswith("debian/"):
            self.phase, self.last = "packaging", step.target.split("/")[1]

    def describe(self, now: float) -> str:
        so_far = f"{duration(now - self.started)} so far"
        if self.phase != "compiling":
            what = f"{self.phase} {self.last}".rstrip()
            return f"build: {what}, {so_far}"
        # What was there turns out to be outdated: nobody knows how much of it.
        if 2 * len(self.present & self._done) > self.compiled:
            return (
                f"build: {self.compiled} files compiled again, at most {self.total}, "
                f"{so_far}: {self.last}"
            )
        percent = 100 * self.done // max(self.total, 1)
        left = self.seconds_left(now)
        about = f", about {duration(left)} left" if left is not None else ""
        return (
            f"build: {self.done} of {self.total} files ({percent} %), {so_far}{about}: {self.last}"
        )

    def seconds_left(self, now: float) -> Optional[float]:
        spent = now - self._first
        if self.compiled < 20 or spent < 5:
            return None
        each = spent / self.compiled
        rest = (self.total - len(self.present)) * each * REST_SHARE
        return (self.total - self.done) * each + rest


def existing(tree: Path, objects: Iterable[str]) -> set[str]:
    """Those objects that an earlier run left in the tree."""
    return {name for name in objects if (tree / name).exists()}
