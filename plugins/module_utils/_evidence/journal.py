# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a trial boot, read in the fallback kernel: its kernel, and what systemd said.

Only messages of the kernel and of systemd itself are read: those of other programs may hold
secrets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, journal_json
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.kernel_text import Record
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import MARK

#: Output of a program, of at most so many bytes within so many seconds.
Ask = Callable[[Sequence[str], int, float], bytes]

PERSISTENT = "var/log/journal"
SECONDS = 20.0
_PROGRAM = ("journalctl", "--no-pager", "--quiet")
_LIST = (*_PROGRAM, "--list-boots")
_LIST_BYTES = 1 << 20
_HEAD_BYTES = 128 << 10
_BYTES = 8 << 20
_LINES = 3000
# Boots between the one before the trial boot and this one.
_MOST_BOOTS = 4
MOST_UNITS = 12
MOST_LAST = 40
#: A warning, or worse.
_WARNING = 4
_BOOT = re.compile(r"\s*-?\d{1,9} ([0-9a-f]{32})\b")
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_FAILED = (journal_json.JOB_FAILED, journal_json.UNIT_FAILED)
_ENDED = ("systemd-shutdown", "Reached target reboot.target", "Reached target System Reboot")


class Boot(NamedTuple):
    """What the journal has of a trial boot."""

    boot_id: str
    kernel: Sequence[str]
    #: Those that failed, in their order.
    units: Sequence[str]
    #: The last messages of systemd.
    manager: Sequence[str]
    #: Whether it ended by a shutdown.
    shut_down: bool

    def record(self) -> Record:
        return Record("journal", f"journalctl --boot={self.boot_id}", self.kernel)

    def answer(self) -> dict[str, Any]:
        return {
            "boot_id": self.boot_id,
            "units": [*self.units],
            "manager": [*self.manager],
            "shut_down": self.shut_down,
        }


class _Entry(NamedTuple):
    text: str
    priority: int
    unit: str
    message_id: str


def is_persistent(root: Path) -> bool:
    """Whether the journal of a boot outlives it."""
    return (root / PERSISTENT).is_dir()


def boots(listing: str, before: str, current: str) -> list[str]:
    """Boots between these two, the last one first; without `before`, the last one.

    A boot is its id, with or without hyphens.
    """
    before, current = before.replace("-", ""), current.replace("-", "")
    found = [match[1] for line in listing.split("\n") if (match := _BOOT.match(line))]
    found = [*dict.fromkeys(found)]
    if current in found:
        found = found[: found.index(current)]
    if before in found:
        between = found[found.index(before) + 1 :]
        return between[::-1][:_MOST_BOOTS]
    return found[-1:]


def _entries(data: bytes) -> list[_Entry]:
    return [_entry(entry) for entry in journal_json.entries(data)]


def _entry(entry: dict[str, Any]) -> _Entry:
    priority = str(entry.get("PRIORITY", ""))
    return _Entry(
        journal_json.message(entry),
        int(priority) if priority in tuple("01234567") else 7,
        str(entry.get("UNIT") or ""),
        str(entry.get("MESSAGE_ID") or ""),
    )


def _asked(boot_id: str, *more: str) -> tuple[str, ...]:
    fields = "--output-fields=MESSAGE,PRIORITY,UNIT,MESSAGE_ID"
    return (*_PROGRAM, f"--boot={boot_id}", "--output=json", fields, *more)


def _is_trial(ask: Ask, boot_id: str, release: str) -> bool:
    """Whether the kernel was started for the trial boot of this release."""
    mark = f"{MARK}{release}"
    head = _entries(ask(_asked(boot_id, "--dmesg"), _HEAD_BYTES, SECONDS))
    return any(mark in bounded_read.words(entry.text) for entry in head)


def _kernel(entries: Sequence[_Entry]) -> list[str]:
    """The end of the log; of what is before, the warnings."""
    most = kernel_text.MOST_LINES
    older, newer = entries[: -most // 2], entries[-most // 2 :]
    chosen = [one for one in older if one.priority <= _WARNING][-most // 2 :]
    return kernel_text.lines("\n".join(one.text for one in (*chosen, *newer)))[-most:]


def _failed(manager: Sequence[_Entry]) -> list[str]:
    """Units that failed, each once, in the order in which they did."""
    failed = [
        one.unit for one in manager if one.message_id in _FAILED and _UNIT.fullmatch(one.unit)
    ]
    return [*dict.fromkeys(failed)]


def _all(ask: Ask, boot_id: str, of: str) -> list[_Entry]:
    """All entries of a boot; none if the journal does not have it. `of`: whose."""
    boot_id = boot_id.replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{32}", boot_id):
        return []
    return _entries(ask(_asked(boot_id, of), _BYTES, SECONDS))


def failed_units(ask: Ask, boot_id: str) -> list[str]:
    """Units that failed in a boot, from its beginning on; none if the journal does not have it."""
    return _failed(_all(ask, boot_id, "_PID=1"))


def kernel_lines(ask: Ask, boot_id: str) -> list[str]:
    """What the kernel said in a boot; nothing if the journal does not have it."""
    return kernel_text.lines("\n".join(one.text for one in _all(ask, boot_id, "--dmesg")))


def read(ask: Ask, before: str, current: str, release: str) -> Optional[Boot]:
    """The trial boot of this release between two others; None if the journal has none."""
    listing = ask(_LIST, _LIST_BYTES, SECONDS).decode("utf-8", "replace")
    found = boots(listing, before, current)
    boot_id = next((one for one in found if _is_trial(ask, one, release)), "")
    if not boot_id:
        return None
    number = f"--lines={_LINES}"
    kernel = _entries(ask(_asked(boot_id, "--dmesg", number), _BYTES, SECONDS))
    manager = _entries(ask(_asked(boot_id, "_PID=1", number), _BYTES, SECONDS))
    return Boot(
        boot_id,
        _kernel(kernel),
        _failed(manager)[:MOST_UNITS],
        kernel_text.lines("\n".join(one.text for one in manager))[-MOST_LAST:],
        any(mark in one.text for one in (*manager, *kernel) for mark in _ENDED),
    )
