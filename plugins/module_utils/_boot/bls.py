# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Type 1 entries of the Boot Loader Specification: a text file for each, with a name that counts.

`ID+LEFT-DONE.conf` is an entry that is being tried: the loader counts LEFT down and DONE up before
it starts it, and puts one with no tries left behind all others. `ID.conf` is confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import with_arguments
from ansible_collections.oslab.kernel.plugins.module_utils._common.natural_sort import natural_key

SUFFIX = ".conf"
_NAME = re.compile(r"(.+?)(?:\+([0-9]+)(?:-[0-9]+)?)?\.conf", re.IGNORECASE)
# In these the entry of a trial boot differs from the kernel's own. Without a key to sort by, it
# comes after those that have one.
_OWN = ("title", "sort-key", "options")


def is_entry(name: str) -> bool:
    """Whether the loader takes a file of this name for an entry."""
    return bool(_NAME.fullmatch(name)) and not name.startswith((".", "auto-"))


@dataclass(frozen=True)
class Entry:
    """One file."""

    name: str
    fields: tuple[tuple[str, str], ...] = ()

    def _parts(self) -> tuple[str, Optional[str]]:
        found = _NAME.fullmatch(self.name)
        return (found[1], found[2]) if found else (self.name, None)

    @property
    def stem(self) -> str:
        """Its name without counters."""
        return self._parts()[0]

    @property
    def id(self) -> str:
        """Its name once it is confirmed."""
        return self.stem + SUFFIX

    @property
    def left(self) -> Optional[int]:
        """How often it may still be tried; None if nobody counts."""
        left = self._parts()[1]
        return None if left is None else int(left)

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.fields if name == key]

    def value(self, key: str) -> str:
        """Of several, the last, as the loader has it."""
        return next(reversed(self.values(key)), "")

    @property
    def options(self) -> str:
        return " ".join(self.values("options"))

    def release(self, machine: str) -> str:
        """Release of the kernel that it boots the usual way on this machine; '' of all others.

        kernel-install calls them by the machine and the release.
        """
        version = self.value("version")
        usual = version and self.value("linux") and self.stem.endswith(f"-{version}")
        return version if usual and self.value("machine-id") in ("", machine) else ""

    def loads(self, release: str) -> bool:
        """Whether it boots this kernel, by its version or else by where the kernel is."""
        version, path = self.value("version"), PurePosixPath(self.value("linux"))
        named = release in path.parts or path.name.endswith(f"-{release}")
        return bool(release and self.value("linux")) and (version == release if version else named)


def parse(name: str, text: str) -> Entry:
    """The entry in a file of this name, as the loader reads it: it knows these four spaces."""
    found = []
    for raw in re.split("[\n\r]", text):
        line = raw.strip(" \t")
        key = re.split("[ \t]", line, maxsplit=1)[0]
        if key and not key.startswith("#"):
            found.append((key, line[len(key) :].strip(" \t")))
    return Entry(name, tuple(found))


def newest_first(releases: Iterable[str]) -> list[str]:
    return sorted(set(releases), key=natural_key, reverse=True)


def find(entries: Iterable[Entry], release: str, machine: str) -> Optional[Entry]:
    """The entry for this release; of several the confirmed one or that with most tries left."""
    found = [entry for entry in entries if release and entry.release(machine) == release]
    return min(found, key=lambda entry: (entry.left is not None, -(entry.left or 0)), default=None)


def trial(entry: Entry, arguments: Sequence[str]) -> str:
    """The text of the entry for the trial boot: its own with more arguments."""
    fields = [
        ("title", f"Trial of Linux {entry.value('version')}"),
        *((key, value) for key, value in entry.fields if key not in _OWN),
        ("options", with_arguments(entry.options, arguments)),
    ]
    return "".join(f"{key} {value}\n" for key, value in fields)
