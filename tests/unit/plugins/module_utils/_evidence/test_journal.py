# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a trial boot, by what journalctl prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._evidence import journal

RELEASE = "6.12.117-49-usac1"
OLDER, BEFORE, TRIAL, CURRENT = ("0" * 31 + digit for digit in "1234")
# The second form is that of systemd 254 and later.
LISTING = f""" -3 {OLDER} Fri 2026-11-27 10:00:00 UTC—Fri 2026-11-27 11:00:00 UTC
 -2 {BEFORE} Sat 2026-11-28 10:00:00 UTC—Sun 2026-11-29 09:00:00 UTC
IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY
 -1 {TRIAL} Sun 2026-11-29 09:01:00 UTC Sun 2026-11-29 09:03:00 UTC
  0 {CURRENT} Sun 2026-11-29 09:04:00 UTC Sun 2026-11-29 09:05:00 UTC
"""
FAILED = journal._FAILED[0]


def hyphened(boot: str) -> str:
    return f"{boot[:8]}-{boot[8:12]}-{boot[12:16]}-{boot[16:20]}-{boot[20:]}"


def entries(*texts: str, **fields: Any) -> bytes:
    return b"".join(json.dumps({"MESSAGE": one, **fields}).encode() + b"\n" for one in texts)


class Host:
    """What journalctl would answer."""

    def __init__(self, kernel: bytes, manager: bytes = b"", listing: str = LISTING) -> None:
        self.kernel, self.manager, self.listing = kernel, manager, listing
        self.asked: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str], limit: int, seconds: float) -> bytes:
        self.asked.append(argv)
        assert 0 < limit <= 8 << 20 and 0 < seconds <= 60
        if "--list-boots" in argv:
            return self.listing.encode()
        if f"--boot={TRIAL}" not in argv:
            return entries("Command line: root=/dev/vda1")
        return (self.kernel if "--dmesg" in argv else self.manager)[:limit]


STARTED = entries(f"Command line: root=/dev/vda1 password=x oslab.trial={RELEASE} panic=10")


def read(host: Host, before: str = BEFORE, release: str = RELEASE) -> journal.Boot | None:
    return journal.read(host, hyphened(before), hyphened(CURRENT), release)


def test_the_boots_between_two() -> None:
    assert journal.boots(LISTING, hyphened(BEFORE), hyphened(CURRENT)) == [TRIAL]
    assert journal.boots(LISTING, OLDER, CURRENT) == [TRIAL, BEFORE]
    # Rotated away, or not known: the boot before this one.
    assert journal.boots(LISTING, "f" * 32, CURRENT) == [TRIAL]
    assert journal.boots(LISTING, "", CURRENT) == [TRIAL]
    assert journal.boots(f"  0 {CURRENT} Sun", BEFORE, CURRENT) == []
    assert journal.boots("No journal files were found.", BEFORE, CURRENT) == []


def test_a_trial_boot() -> None:
    host = Host(
        STARTED + entries("EXT4-fs error (device vda1): ext4_lookup:1855: x", PRIORITY="2"),
        entries("Failed to start fault.service.", UNIT="fault.service", MESSAGE_ID=FAILED)
        + entries("fault.service failed", UNIT="fault.service", MESSAGE_ID=journal._FAILED[1])
        + entries("Reached target basic.target."),
    )
    boot = read(host)
    assert boot is not None
    assert boot.boot_id == TRIAL
    assert boot.kernel == [
        "Command line: (not shown)",
        "EXT4-fs error (device vda1): ext4_lookup:1855: x",
    ]
    assert boot.units == ["fault.service"]
    assert boot.manager[-1] == "Reached target basic.target."
    assert not boot.shut_down
    assert boot.record().name == f"journalctl --boot={TRIAL}"
    assert all("_PID=1" in one or "--dmesg" in one for one in host.asked[1:]), "no other programs"


def test_another_boot_is_none() -> None:
    assert read(Host(entries("Command line: root=/dev/vda1"))) is None
    assert read(Host(STARTED), release="6.12") is None
    assert read(Host(STARTED, listing="")) is None


def test_a_shutdown() -> None:
    boot = read(Host(STARTED, entries("Reached target reboot.target - System Reboot.")))
    assert boot is not None and boot.shut_down


def test_of_a_long_log_the_warnings_and_the_end() -> None:
    many = STARTED + entries("BUG: early", PRIORITY="1")
    many += entries(*[f"line {n}" for n in range(2000)], PRIORITY="6")
    boot = read(Host(many))
    assert boot is not None
    assert boot.kernel[0] == "BUG: early"
    assert boot.kernel[-1] == "line 1999"
    assert len(boot.kernel) <= 300


def test_lines_that_are_no_entries() -> None:
    host = Host(
        STARTED + b'[1]\n{"MESSAGE": [66, 255]}\n{"MESSAGE": 1, "PRIORITY": "x"}\nnothing\n'
    )
    boot = read(host)
    assert boot is not None and boot.kernel[-1].startswith("B")


def test_a_persistent_journal(tmp_path: Path) -> None:
    assert not journal.is_persistent(tmp_path)
    (tmp_path / journal.PERSISTENT).mkdir(parents=True)
    assert journal.is_persistent(tmp_path)
