# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated targets of bench/fleet answer all that the modules document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.bench.fleet.target import Target

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench/fleet"
# What a target asks of the modules; the others are Ansible's own.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "apt_transaction": {"packages": ["linux-image-x=1"]},
    "boot_entry": {"state": "once"},
    "config_files": {"files": [{"path": "/etc/x", "content": "1"}], "absent": ["/etc/y"]},
    "deploy_lock": {"state": "held"},
    "host_kernel_info": {"packages": ["linux-libc-dev"], "files": ["/etc/x"]},
    "kernel_files": {"files": {"release": "x"}},
    "kernel_modules": {"modules": []},
    "syscall_info": {},
    "trial_evidence_info": {"release": "x"},
}


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "hosts/127.0.1.1").mkdir(parents=True)
    answers = json.loads((BENCH / "answers.json").read_text())
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    settings = {"release": answers["manifest"]["release"], "version": "1", "reboot_seconds": 0}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    return Target(tmp_path, "127.0.1.1")


def documented(module: str) -> set[str]:
    text = (ROOT / f"plugins/modules/{module}.py").read_text()
    returned = yaml.safe_load(text.split('RETURN = r"""')[1].split('"""')[0])
    return {name for name, about in returned.items() if about["returned"] in ("always", "success")}


@pytest.mark.parametrize("booted", [False, True])
@pytest.mark.parametrize("module", ARGUMENTS)
def test_nothing_is_missing_from_an_answer(target: Any, module: str, booted: bool) -> None:
    if booted:
        target.reboot()
    answer = target.answer(module, ARGUMENTS[module])
    assert not answer.get("failed")
    assert documented(module) - answer.keys() == set()


def test_a_reboot_starts_the_new_kernel_once(target: Any) -> None:
    before = target.answer("host_kernel_info", {})
    target.reboot()
    after = target.answer("host_kernel_info", {})
    assert before["boot_id"] != after["boot_id"]
    assert before["oslab"] is None
    assert after["release"] == after["trial"] == after["oslab"]["release"]


def test_a_module_that_nobody_thought_of_fails(target: Any) -> None:
    assert target.answer("user", {})["failed"]
