# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a kernel's build is: which objects it will compile, and what its output says.

The list of objects is read from the tree's Makefiles with the values of `.config`. That takes
half a second, where `make --dry-run` takes as long as a build that has nothing to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines

# "  CC [M]  fs/ext4/inode.o"; 6.1 to 7.2 print all steps in this form.
STEP = re.compile(r"^  ([A-Z][A-Z0-9_]+)(?: \[[MURT]+\])?\s+(\S+)$")
COMPILERS = ("CC", "AS")
BUILD_PROGRAMS = ("/", "scripts/", "tools/")

# Linking, module post-processing and packaging, as a share of the time of compiling.
REST_SHARE = 0.08

# What directories call their lists; from the vDSO on, each a place that links by its own rules.
LISTS = (
    *("obj-y", "obj-m", "lib-y", "lib-m", "always-y", "subdir-y", "subdir-m"),
    *("vobjs-y", "vobjs32-y", "realmode-y", "purgatory-y", "vmlinux-objs-y", "setup-y"),
)

Variables = dict[str, str]


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
        """The file that a person knows it by."""
        suffix = {"CC": ".c", "AS": ".S"}.get(self.action)
        return self.target[:-2] + suffix if suffix and self.target[-2:] == ".o" else self.target


def parse_step(line: str) -> Optional[Step]:
    match = STEP.match(line.rstrip())
    return Step(match.group(1), match.group(2)) if match else None


# A kernel has some 5 000 directories with a Makefile, and values of some 10 KiB. A tree that goes
# beyond these is read no further: what is made of it is an estimate.
_DIRECTORIES = 50_000
_LONGEST = 1 << 16
_DEEPEST = 32  # Makefiles that include each other
_WORK = 1 << 30  # bytes of values in all; a kernel has a tenth of that
_LINE = 1 << 10  # what a line with references counts for at least
_MAKEFILE = 1 << 20


# --- which objects -----------------------------------------------------------------------------


@dataclass
class _Budget:
    """What the reading of the Makefiles may still take."""

    work: int = _WORK
    includes: int = 20_000  # a kernel has some hundreds


def expected_objects(tree: Path, config: Variables, arch: str = "x86") -> set[str]:
    """The objects that a whole build of this configuration compiles, nearly all of them.

    Whatever is in the tree, nothing is raised, and what it takes grows with the tree alone.
    """
    base = {**config, "SRCARCH": arch, "srctree": str(tree), "BITS": _bits(config)}
    found: set[str] = set()
    budget = _Budget()
    todo = ["", "lib"]
    todo += [f"arch/{arch}/{name}" for name in ("lib", "boot", "boot/compressed", "realmode/rm")]
    for name in ("core-y", "drivers-y"):  # directories that only the architecture's Makefile names
        arch_vars = _read(tree / "arch" / arch / "Makefile", dict(base), budget)
        todo += [item.strip("/") for item in arch_vars.get(name, "").split() if item[-1] == "/"]
    seen: set[str] = set()
    while todo and len(seen) < _DIRECTORIES:
        directory = todo.pop()
        if directory in seen or len(directory) > _LONGEST:
            continue
        seen.add(directory)
        objects, below = _directory(tree, directory, base, budget)
        found |= objects
        todo += below
    return found


def _bits(config: Variables) -> str:
    return "64" if config.get("CONFIG_64BIT") == "y" else "32"


def _directory(
    tree: Path, directory: str, base: Variables, budget: _Budget
) -> tuple[set[str], list[str]]:
    makefile = tree / directory / "Kbuild"
    if not makefile.is_file():
        if not directory:
            return set(), []
        makefile = tree / directory / "Makefile"
    variables = _read(makefile, {**base, "obj": directory, "src": directory}, budget)
    objects: set[str] = set()
    below: list[str] = []
    prefix = f"{directory}/" if directory else ""
    for name in LISTS:
        for item in variables.get(name, "").split():
            if item.endswith("/") or name.startswith("subdir-"):
                below.append(_plain(prefix + item.rstrip("/")))
            elif item.endswith(".o"):
                parts = _parts(item[:-2], variables, modular=name == "obj-m")
                relative = (part.replace(f"{directory}/", "", 1) for part in parts or [item])
                objects.update(_plain(prefix + part) for part in relative)
                if name == "obj-m":
                    objects.add(_plain(prefix + item[:-2] + ".mod.o"))
    return objects, below


def _parts(stem: str, variables: Variables, *, modular: bool) -> list[str]:
    """What a composite object is made of; empty if it is a plain one."""
    parts: list[str] = []
    for suffix in ("-objs", "-y", *(["-m"] if modular else [])):
        parts += variables.get(stem + suffix, "").split()
    return [part for part in parts if part.endswith(".o")]


def _plain(path: str) -> str:
    """The path without detours; none leads out of the tree."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


# --- enough of make's language -----------------------------------------------------------------

# The name is made of words in parentheses and of other characters in one way only. Otherwise a long
# line that is no assignment would be tried in all ways.
ASSIGN = re.compile(
    r"^((?:\([^)]*\)|[^\s:=+?#(])(?:\([^)]*\)|[^\s:=+?(])*)[ \t]*(:=|\+=|\?=|=)[ \t]*(.*)$"
)
REFERENCE = re.compile(r"\$\(([^()$]*)\)")


def _logical_lines(text: str) -> Iterator[str]:
    for line in lines(text.replace("\\\n", " ")):
        if len(line) <= _LONGEST and (
            not line.startswith("\t") or "=" in line
        ):  # recipes are no use
            yield line.split("#", 1)[0].strip()


def _read(path: Path, variables: Variables, budget: _Budget, depth: int = 0) -> Variables:
    try:
        text = bounded_read.text(path, _MAKEFILE)
    except OSError:
        return variables
    active = [True]  # is each enclosing condition met?
    taken = [True]  # has a branch of it been met?
    for line in _logical_lines(text):
        budget.work -= _LINE if "$" in line else len(line)
        if budget.work < 0:
            break
        word, _mark, rest = line.partition(" ")
        if word in ("ifdef", "ifndef", "ifeq", "ifneq"):
            met = active[-1] and _condition(word, rest.strip(), variables)
            active.append(met)
            taken.append(met or not active[-2])
        elif word == "else" and len(active) > 1:
            inner, _mark, argument = rest.strip().partition(" ")
            met = not taken[-1] and (not inner or _condition(inner, argument.strip(), variables))
            active[-1] = met
            taken[-1] = taken[-1] or met
        elif word == "endif" and len(active) > 1:
            active.pop()
            taken.pop()
        elif active[-1] and word in ("include", "-include"):
            for name in _expand(rest, variables).split():
                inner_path = (
                    Path(name) if name.startswith("/") else Path(variables["srctree"], name)
                )
                named = "Makefile" in inner_path.name or "Kbuild" in inner_path.name
                budget.includes -= 1
                if (
                    named
                    and depth < _DEEPEST
                    and budget.includes > 0
                    and _is_below(inner_path, variables["srctree"])
                ):
                    _read(inner_path, variables, budget, depth + 1)
        elif active[-1] and not line.startswith("srctree"):
            budget.work -= _assign(line, variables)
    return variables


def _is_below(path: Path, directory: str) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(os.path.normpath(directory))


def _assign(line: str, variables: Variables) -> int:
    """Take an assignment over; how long its value is."""
    match = ASSIGN.match(line)
    if not match:
        return 0
    name = _expand(match.group(1), variables)
    operator, value = match.group(2), _expand(match.group(3), variables)
    if operator == "+=":
        variables[name] = f"{variables.get(name, '')} {value}"
    elif operator != "?=" or name not in variables:
        variables[name] = value
    if len(variables.get(name, "")) > _LONGEST:
        variables[name] = variables[name][:_LONGEST]
    return len(variables.get(name, ""))


def _condition(word: str, rest: str, variables: Variables) -> bool:
    if word in ("ifdef", "ifndef"):
        return bool(variables.get(_expand(rest, variables))) == (word == "ifdef")
    sides = _sides(_expand(rest, variables))
    if sides is None or word not in ("ifeq", "ifneq"):
        return False
    return (sides[0].strip() == sides[1].strip()) == (word == "ifeq")


def _sides(text: str) -> Optional[tuple[str, str]]:
    """What `(one,other)` or `"one" "other"` compares; None if it is neither."""
    if text.startswith("(") and text.endswith(")") and "," in text:
        left, _mark, right = text[1:-1].partition(",")
        return left, right
    quoted = re.fullmatch(r"""["']([^"']*)["']\s+["']([^"']*)["']""", text)
    return (quoted[1], quoted[2]) if quoted else None


def _expand(text: str, variables: Variables) -> str:
    text = re.sub(r"\$\{([^{}$]*)\}", r"$(\1)", text)
    for _level in range(8):
        left = _LONGEST

        def value(match: re.Match[str]) -> str:
            nonlocal left
            found = _reference(match.group(1), variables) if left > 0 else ""
            left -= len(found)
            return found

        new = REFERENCE.sub(value, text)
        if new == text:
            break
        text = new[:_LONGEST]
    return text


def _reference(inner: str, variables: Variables) -> str:
    function, _mark, rest = inner.partition(" ")
    arguments = [argument.strip() for argument in rest.split(",")]
    if not rest or "=" in inner:
        return variables.get(inner.partition(":")[0], "")
    call = FUNCTIONS.get((function, len(arguments)))
    return call(*arguments) if call else ""


def _substituted(old: str, new: str, text: str) -> str:
    if not old or text.count(old) * len(new) > _LONGEST:
        return text
    return text.replace(old, new)


def _chosen(text: str, names: str, wanted: bool) -> str:
    known = set(names.split())
    return " ".join(word for word in text.split() if (word in known) == wanted)


def _surrounded(text: str, prefix: str, suffix: str) -> str:
    found = text.split()
    if len(found) * len(prefix + suffix) > _LONGEST:
        return text
    return " ".join(prefix + word + suffix for word in found)


# Name and number of arguments. `patsubst` stands for its last argument: directories use it to say
# what an object is called once it is linked.
FUNCTIONS: dict[tuple[str, int], Callable[..., str]] = {
    ("subst", 3): _substituted,
    ("patsubst", 3): lambda _pattern, _replacement, text: text,
    ("filter", 2): lambda names, text: _chosen(text, names, True),
    ("filter-out", 2): lambda names, text: _chosen(text, names, False),
    ("addprefix", 2): lambda prefix, text: _surrounded(text, prefix, ""),
    ("addsuffix", 2): lambda suffix, text: _surrounded(text, "", suffix),
    ("if", 2): lambda condition, then: then if condition else "",
    ("if", 3): lambda condition, then, other: then if condition else other,
}


# --- how far -----------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """As a person says it: `47 s`, `2 min 13 s`, `1 h 4 min`."""
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
