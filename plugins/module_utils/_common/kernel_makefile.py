# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Makefiles of a kernel tree say: its version, its release, and lists of objects.

This is no make: conditions and functions are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    kernel_version,
)

LIMIT = 1 << 20  # bytes; the largest of a kernel has some 70 KiB
# Of a value that stands for a part of a name, and of values in a line: far more than kbuild has.
_LONGEST_VALUE = 4096
_MOST_VALUES = 64
# A longer line takes no part: none of a kernel comes near that.
_LONGEST_LINE = 1 << 16

_EXTRAVERSION = re.compile(r"^EXTRAVERSION[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_VARIABLE = re.compile(r"^\s*([\w-]+)\s*:?=\s*(.*\S)")
_REFERENCE = re.compile(r"\$\(([\w-]+)\)")
# `NAME-y := …`, `NAME-objs = …` and `NAME-$(CONFIG_X) += …`.
_LIST = re.compile(
    r"^[ \t]*([\w./-]+)-(?:(y|m|objs)|\$[({](CONFIG_\w+)[)}])[ \t]*[:+?]?=[ \t]*([^#]*)"
)


class MakefileError(ValueError):
    """It is not the top Makefile of a kernel."""


# --- version and release -----------------------------------------------------------------------


class Version(NamedTuple):
    """`numbers`: all three, as in 6.8.0. `extraversion`: -rc1-49-usac1, or empty."""

    numbers: str
    extraversion: str

    @property
    def kernelversion(self) -> str:
        """As `make kernelversion` prints it."""
        return self.numbers + self.extraversion

    @property
    def upstream(self) -> str:
        """As the kernel's developers name it: without what others append."""
        return self.numbers + kernel_version.candidate_of(self.extraversion)


def version(text: str) -> Version:
    """Of a top Makefile. Raises MakefileError."""
    numbers = []
    for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"):
        found = re.search(rf"^{name}[ \t]*=[ \t]*([0-9]+)[ \t]*$", text, re.MULTILINE)
        if not found:
            raise MakefileError(f"the top Makefile has no line '{name} = …'")
        numbers.append(found[1])
    extra = _EXTRAVERSION.search(text)
    return Version(".".join(numbers), extra[1] if extra else "")


def read_version(tree: Path) -> Version:
    """Of a source tree. Raises OSError, EFBIG where the Makefile is too large; MakefileError."""
    return version(bounded_read.text(tree / "Makefile", LIMIT))


def keep_extraversion(text: str, current: str) -> str:
    """`text` with the EXTRAVERSION line of `current`; both are the top Makefile."""
    found = _EXTRAVERSION.search(current)
    return _EXTRAVERSION.sub(lambda _: found[0], text, count=1) if found else text


def release(tree: Path, kernelversion: str, config_localversion: str, argument: str = "") -> str:
    """What `uname -r` will say, in the order of scripts/setlocalversion.

    `make kernelrelease` needs a prepared tree. `config_localversion`: CONFIG_LOCALVERSION, with
    or without quotation marks. `argument`: LOCALVERSION among the arguments of make.
    """
    files = sorted(path for path in tree.glob("localversion*") if "~" not in path.name)
    local = "".join("".join(bounded_read.text(path).split()) for path in files)
    return f"{kernelversion}{local}{config_localversion.strip(chr(34))}{argument}"


# --- lists of objects --------------------------------------------------------------------------


class ObjectList(NamedTuple):
    """One assignment: `obj`, `CONFIG_EXT4_FS` and `ext4.o` of `obj-$(CONFIG_EXT4_FS) += ext4.o`."""

    name: str
    kind: str  # y, m, objs, or the symbol that decides between y, m and nothing
    words: list[str]


def object_lists(text: str) -> Iterator[ObjectList]:
    """The assignments to kbuild's lists, with the values of plain variables of this file."""
    variables: dict[str, str] = {}
    for line in text.replace("\\\n", " ").split("\n"):
        if "=" not in line or len(line) > _LONGEST_LINE:
            continue
        assigned = _VARIABLE.match(line)
        if assigned and len(assigned[2]) <= _LONGEST_VALUE:
            variables[assigned[1]] = assigned[2]
        if line.count("$(") > _MOST_VALUES:
            continue
        if variables and "$(" in line:
            line = _REFERENCE.sub(lambda m: variables.get(m[1], m[0]), line)  # noqa: PLW2901
        found = _LIST.match(line) if "-" in line else None
        if found:
            yield ObjectList(found[1], found[2] or found[3], found[4].split())
