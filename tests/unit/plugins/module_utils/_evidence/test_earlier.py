# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on a host in each boot, by what it still knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._evidence import (
    earlier,
    journal,
    kernel_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, health_units
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item

TRIAL, FALLBACK = "6.12.117-49-usac1", "6.1.0-44-amd64"
BEFORE = "01234567-89ab-cdef-0123-456789abcdef"
LISTED = "mnt-usb.mount loaded failed failed /mnt/usb\nssh.service loaded failed failed x\n"


def ask(argv: Sequence[str], limit: int, seconds: float) -> bytes:
    assert 0 < limit <= 8 << 20 and 0 < seconds <= 60
    if argv[0] == "systemctl":
        return LISTED.encode()
    assert f"--boot={BEFORE.replace('-', '')}" in argv
    entry = {"MESSAGE": "x", "UNIT": "dev-sdb1.device", "MESSAGE_ID": journal._FAILED[0]}
    fine = {"MESSAGE": "Started x", "UNIT": "x.service"}
    return f"{json.dumps(entry)}\n{json.dumps(fine)}\n{json.dumps(entry)}\n".encode()


def nothing(_argv: Sequence[str], _limit: int, _seconds: float) -> bytes:
    return b""


def host(root: Path, release: str) -> Path:
    path = root / "proc/sys/kernel/osrelease"
    path.parent.mkdir(parents=True)
    path.write_text(f"{release}\n")
    units = {
        "logrotate.service": Item("failed", works=False),
        "slow.service": Item("activating (start)"),
        "fine.service": Item("active (running)"),
        "reset.service": Item(health_units.HAD_FAILED, works=False),
    }
    state = health.State(FALLBACK, BEFORE, {health.UNIT: units})
    record = root / health.RECORD
    record.parent.mkdir(parents=True)
    record.write_text(health.encoded(state) + "\n")
    return root


def test_all_that_the_host_knows(tmp_path: Path) -> None:
    assert earlier.failed(host(tmp_path, FALLBACK), ask, TRIAL, BEFORE) == [
        *("mnt-usb.mount", "ssh.service"),
        *("logrotate.service", "slow.service", "reset.service"),
        "dev-sdb1.device",
    ]


def test_what_fails_in_the_trial_boot_is_not_known_before(tmp_path: Path) -> None:
    found = earlier.failed(host(tmp_path, TRIAL), ask, TRIAL, BEFORE)
    recorded = ["logrotate.service", "slow.service", "reset.service"]
    assert found == [*recorded, "dev-sdb1.device"]


def test_a_host_that_knows_nothing(tmp_path: Path) -> None:
    assert earlier.failed(tmp_path, nothing, TRIAL, "") == []
    record = tmp_path / health.RECORD
    record.parent.mkdir(parents=True)
    for text in ("{", "[]", "{}", '{"kinds": {"unit": {"x": "failed"}}}'):
        record.write_text(text)
        assert earlier.failed(tmp_path, nothing, TRIAL, "../..") == []


def test_names_that_are_none() -> None:
    def strange(argv: Sequence[str], limit: int, seconds: float) -> bytes:
        return b"\x1b]0;x\x07.service loaded failed\n\n" + b"x" * 999 + b"\n"

    assert earlier.failed(Path("/nowhere"), strange, TRIAL, "") == []


READER = "blk_update_request: I/O error, dev sdc, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1"


def test_what_the_kernel_complains_of_in_other_boots(tmp_path: Path) -> None:
    now = "fedcba98-89ab-cdef-0123-456789abcdef"
    said = {BEFORE: [READER, "usb 1-1: new device", READER], now: [READER.replace("sdc", "sdd")]}
    asked: list[str] = []

    def kernel(argv: Sequence[str], limit: int, _seconds: float) -> bytes:
        assert "--dmesg" in argv and 0 < limit <= 8 << 20
        asked.append(next(one for one in argv if one.startswith("--boot=")))
        lines = next(v for k, v in said.items() if asked[-1].endswith(k.replace("-", "")))
        return "\n".join(json.dumps({"MESSAGE": line}) for line in lines).encode()

    one, other = (kernel_text.complaint(READER.replace("sdc", name)) for name in ("sdc", "sdd"))
    fallback, trial = host(tmp_path / "a", FALLBACK), host(tmp_path / "b", TRIAL)
    assert earlier.complaints(fallback, kernel, TRIAL, BEFORE, now) == [one, other]
    assert earlier.complaints(trial, kernel, TRIAL, BEFORE, now) == [one]
    assert earlier.complaints(trial, kernel, TRIAL, "../..", "") == []
    assert earlier.complaints(fallback, nothing, TRIAL, BEFORE, now) == []
    assert len(asked) == 3
