# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All evidence of a host in one answer, which the control node accepts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.action import trial_evidence_info
from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import gather
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import REPORT
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer

RELEASE, TRIAL, CURRENT = "6.12.117-49-usac1", "1" * 32, "2" * 32


def ask(argv: Sequence[str], limit: int, seconds: float) -> bytes:
    if "--list-boots" in argv:
        return f"-1 {TRIAL} x\n 0 {CURRENT} x\n".encode()
    return json.dumps({"MESSAGE": f"Command line: oslab.trial={RELEASE}"}).encode()


def accepted(answer: dict[str, object]) -> str:
    sent = host_answer.plain(json.loads(json.dumps(answer)), ("timer",))
    return host_answer.problem(sent, trial_evidence_info.FORMS)


def test_a_host_that_kept_everything(tmp_path: Path) -> None:
    texts = {
        REPORT: f"{RELEASE} was not confirmed within 100 s\n",
        boot_id.PATH: f"{CURRENT}\n",
        "sys/fs/pstore/dmesg-ramoops-0": "Kernel panic - not syncing: x\n",
        "var/crash/202611291230/dmesg.202611291230": f"Linux version {RELEASE} (x)\nBUG: x\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    found = gather.evidence(tmp_path, ask, RELEASE, 0, "")
    assert [one["source"] for one in found["records"]] == ["pstore", "kdump", "journal"]
    assert found["timer"] == texts[REPORT]
    assert found["journal"]["boot_id"] == TRIAL
    assert accepted(found) == ""


def test_a_host_that_kept_nothing(tmp_path: Path) -> None:
    found = gather.evidence(tmp_path, lambda *_args: b"", RELEASE, 0, "")
    assert found == {
        "records": [],
        "journal": None,
        "timer": "",
        "failed_before": [],
        "complaints_before": [],
        "kept_by": {"journal": False, "pstore": "", "kdump": False},
    }
    assert accepted(found) == ""
