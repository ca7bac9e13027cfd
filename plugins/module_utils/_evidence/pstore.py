# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pstore kept of a kernel that died: where the kernel shows it, and where systemd moves it.

systemd-pstore.service moves the records at the next boot, to /var/lib/systemd/pstore. Nothing is
removed here: they are the administrator's. fs/pstore/platform.c and systemd's src/pstore/pstore.c
have the names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.kernel_text import Record

PLACES = ("sys/fs/pstore", "var/lib/systemd/pstore")
BACKEND = "sys/module/pstore/parameters/backend"
#: Of a backend's memory or of NVRAM: a record has some KiB.
RECORD_BYTES = 1 << 20
MOST_FILES = 2000
MOST_RECORDS = 3
_DEPTH = 3
# A compressed one that the kernel could not unpack ends in .enc.z.
_NAME = re.compile(r"dmesg-([a-z_]{1,32})-(\d{1,20})")
# Of EFI: the time in seconds, two digits of the part, three of the count.
_EFI = ("efi", "efi_pstore")
_EFI_DIGITS = 5
_HEAD = re.compile(r"([A-Z][a-z]{2,15})#(\d{1,9}) Part(\d{1,9})\n")
# The clock of a machine and that of its firmware.
TOLERANCE = 5


class _Part(NamedTuple):
    path: Path
    group: tuple[str, str, str]
    number: int
    seconds: float
    text: str


def backend(root: Path) -> str:
    """What keeps records on this host, such as efi_pstore or ramoops; empty if nothing does."""
    try:
        name = bounded_read.text(root / BACKEND, 64).strip()
    except OSError:
        return ""
    return name if re.fullmatch(r"[a-z_]{1,32}", name) else ""


def _files(root: Path) -> Iterator[Path]:
    left = MOST_FILES
    for place in PLACES:
        top = root / place
        for directory, directories, names in os.walk(top):
            if len(Path(directory).relative_to(top).parts) >= _DEPTH:
                directories.clear()
            # The newest, by the names of the directories.
            directories.sort(reverse=True)
            for name in sorted(names):
                left -= 1
                if left < 0:
                    return
                if _NAME.fullmatch(name):
                    yield Path(directory) / name


def _part(path: Path) -> _Part:
    """Raises OSError."""
    named = _NAME.fullmatch(path.name)
    if not named:
        raise AssertionError(path)
    owner, number = named[1], named[2]
    seconds, record = path.stat().st_mtime, number
    if owner in _EFI and len(number) > _EFI_DIGITS:
        # The same panic has one time and one count; moved, a file has the time of the move.
        record = f"{number[:-_EFI_DIGITS]}-{number[-3:]}"
        seconds = float(number[:-_EFI_DIGITS])
    text = bounded_read.end(path, RECORD_BYTES).decode("utf-8", "replace")
    head = _HEAD.match(text)
    if not head:
        return _Part(path, (owner, record, ""), 0, seconds, text)
    # A panic in several parts has the same number in each; so has that of another boot, elsewhere.
    where = record if owner in _EFI else str(path.parent)
    group = (owner, where, f"{head[1]}#{head[2]}")
    return _Part(path, group, int(head[3]), seconds, text[head.end() :])


def records(root: Path, since: float, release: str) -> list[Record]:
    """Those of kernels of this release that were written since then, the newest first.

    `since` is the host's time in seconds since 1970, as its clock was before the trial boot.
    """
    groups: dict[tuple[str, str, str], list[_Part]] = {}
    for path in _files(root):
        try:
            part = _part(path)
        except OSError:
            continue
        if part.seconds + TOLERANCE >= since:
            groups.setdefault(part.group, []).append(part)
    found: list[tuple[float, Record]] = []
    for parts in groups.values():
        # The first part is the end of the log.
        parts.sort(key=lambda one: (-one.number, one.path.name))
        texts = {part.path.name: part.text for part in parts}
        lines = kernel_text.lines("\n".join(texts.values()))
        if lines and kernel_text.is_of(lines, release) is not False:
            name = str(parts[-1].path)
            record = Record("pstore", name, kernel_text.last(lines))
            found.append((max(one.seconds for one in parts), record))
    found.sort(key=lambda one: -one[0])
    return [record for _seconds, record in found[:MOST_RECORDS]]
