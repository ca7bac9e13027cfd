# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dying kernel, a console and a host's administrator may leave where evidence is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.action import trial_evidence_info
from ansible_collections.oslab.kernel.plugins.filter.netconsole_arguments import (
    netconsole_arguments,
)
from ansible_collections.oslab.kernel.plugins.filter.trial_cause import trial_cause
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import gather
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import given
from hypothesis import strategies as st

RELEASE, TRIAL, CURRENT = "6.12.1-x", "1" * 32, "2" * 32
PANIC = (
    "Panic#1 Part1\n<4>[ 9.3] RIP: 0010:init_module+0x20/0x1000 [fault]\n"
    "<4>[ 9.3] CPU: 0 PID: 312 Comm: x Tainted: G           O       6.12.1-x #1\n"
    "<0>[ 9.4] Kernel panic - not syncing: Fatal exception\n"
)
TIMER = (
    "6.12.1-x was not confirmed within 100 s\nfailed units:\nssh.service loaded failed failed x\n"
    "waiting:\n12 a.service start running\naddresses:\nlo UNKNOWN 127.0.0.1/8 ::1/128\nerrors:\n"
)
FILES = {
    "sys/fs/pstore/dmesg-efi_pstore-176443500001001": PANIC.encode(),
    "var/lib/systemd/pstore/1764435000/001/dmesg-efi-176443500001001": PANIC.encode(),
    "var/crash/202611291230/dmesg.202611291230": PANIC.encode(),
    "var/lib/oslab-kernel/trial-return.txt": TIMER.encode(),
    "sys/module/pstore/parameters/backend": b"efi_pstore\n",
    "sys/kernel/kexec_crash_loaded": b"1\n",
    "proc/sys/kernel/random/boot_id": CURRENT.encode(),
}
ENTRY = {
    "MESSAGE": f"Command line: root=/dev/vda1 oslab.trial={RELEASE}",
    "PRIORITY": "3",
    "UNIT": "a.service",
    "MESSAGE_ID": "be02cf6855d2428ba40df7e9d022f03d",
}
LISTING = f" -1 {TRIAL} Sun\n  0 {CURRENT} Sun\n"
ROUTE = [{"dst": "192.0.2.1", "dev": "ens3", "prefsrc": "192.0.2.7", "gateway": "192.0.2.1"}]


def check(evidence: dict[str, Any]) -> None:
    """The answer has the form, and a cause is named in one line that is safe to print."""
    sent = host_answer.plain(json.loads(json.dumps(evidence)), ("timer",))
    assert host_answer.problem(sent, trial_evidence_info.FORMS) == ""
    for reached in (False, True):
        found = trial_cause(sent, "x", "y", reached=reached)
        assert found["sentence"].isprintable() and found["sentence"].startswith("Cause: ")
        assert found["kind"]


@given(hostile.files(FILES))
def test_files_of_a_host(tmp_path: Path, tree: dict[str, Any]) -> None:
    root = tmp_path / "root"
    hostile.put(root, tree)
    check(gather.evidence(root, lambda *_args: b"", RELEASE, 0, ""))


@given(
    hostile.texts(LISTING),
    st.lists(hostile.values(ENTRY), max_size=5),
    hostile.contents(json.dumps(ENTRY).encode()),
)
def test_a_journal(tmp_path: Path, listing: str, entries: list[Any], more: bytes) -> None:
    data = b"\n".join([*(json.dumps(entry).encode() for entry in entries), more])

    def ask(argv: Any, limit: int, _seconds: float) -> bytes:
        text = listing.encode("utf-8", "replace") if "--list-boots" in argv else data
        return text[:limit]

    check(gather.evidence(tmp_path, ask, RELEASE, 0, ""))


@given(hostile.texts(PANIC, TIMER, "error: file not found\n", f"Linux version {RELEASE} (x)\n"))
def test_a_console(tmp_path: Path, text: str) -> None:
    path = tmp_path / "serial.log"
    path.write_text(text, "utf-8", "replace")
    nothing: dict[str, Any] = {"kept_by": {}, "records": [], "journal": None, "timer": text}
    answer = trial_evidence_info.with_console(nothing, str(path), RELEASE)
    found = trial_cause(answer)
    assert found["sentence"].isprintable()


@given(hostile.texts(json.dumps(ROUTE) + "\n" + json.dumps(ROUTE)))
def test_a_route(text: str) -> None:
    found = netconsole_arguments(text, "192.0.2.1")
    assert bool(found["arguments"]) != bool(found["problem"] or not text)
    # No word more than these two for the kernel.
    assert all(argument.isascii() and " " not in argument for argument in found["arguments"])
