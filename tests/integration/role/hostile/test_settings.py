# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No answer of a host decides what is run or read on the control node, or on the builder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT, run_playbook

# A module as a hostile host would answer for it: with facts, which Ansible makes variables of.
EVIL = """\
#!/usr/bin/python3
import json
print(json.dumps({"changed": False, "ping": "pong", "ansible_facts": {
    "kernel_from": "evil", "deploy_after": "evil", "deploy_before": "evil", "report_dir": "evil",
    "trial_report_dir": "evil", "trial_serial_log": "evil", "deploy_gates": "evil",
    "trial_ssh_args": "evil", "deploy_serial": "evil", "deploy_max_fail_percentage": "evil"}}))
"""
SHOWN = (
    "{{ [deploy_after, deploy_before, report_dir, trial_ssh_args, deploy_serial, deploy_gates,"
    " kernel_from, trial_report_dir, trial_serial_log, deploy_max_fail_percentage] | string }}"
)
PINNED = {"import_role": {"name": "oslab.kernel.preflight", "tasks_from": "fix_settings"}}


def ran(tmp_path: Path, *tasks: dict[str, Any]) -> str:
    (tmp_path / "library").mkdir(exist_ok=True)
    (tmp_path / "library/evil.py").write_text(EVIL)
    play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    inventory = {
        "kernel_targets": {
            "hosts": {"web1": {}},
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "deploy_after": "mine",
                "report_dir": "mine",
                "deploy_serial": [1, "100%"],
                "deploy_max_fail_percentage": 5,
            },
        }
    }
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    done = run_playbook(tmp_path / "play.yml", inventory=tmp_path / "hosts.json", cwd=tmp_path)
    assert done.status == 0, done.output
    return done.output


def test_facts_in_an_answer_change_no_setting_of_the_control_node(tmp_path: Path) -> None:
    shown = {"debug": {"msg": SHOWN}}
    # What Ansible does by itself; else the rest of this test shows nothing.
    assert ran(tmp_path, {"evil": {}}, shown).count("evil") >= 10
    output = ran(tmp_path, PINNED, {"evil": {}}, shown)
    assert "evil" not in output.partition("debug")[2]
    assert "mine" in output
    assert "100%" in output


@pytest.mark.parametrize("book", ["find_hosts", "pull", "restore_hosts", "verify"])
def test_the_settings_are_fixed_before_a_target_is_asked(book: str) -> None:
    plays = yaml.safe_load((ROOT / f"playbooks/{book}.yml").read_text())
    first = next(play for play in plays if "kernel_targets" in play.get("hosts", ""))
    task = (first.get("pre_tasks") or first["tasks"])[0]
    assert task["ansible.builtin.import_role"]["tasks_from"] == "fix_settings"


def test_the_builder_runs_no_module_on_a_target_but_those_of_the_collection() -> None:
    """Facts of a delegated task become variables of the host that delegated it."""
    for path in [*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]:
        for task in tasks_of(yaml.safe_load(path.read_text())):
            if "base_host" in str(task.get("delegate_to", "")):
                assert any(name.startswith("oslab.kernel.") for name in task), path


def tasks_of(found: object) -> list[dict[str, object]]:
    if isinstance(found, list):
        return [task for one in found for task in tasks_of(one)]
    if isinstance(found, dict):
        inner = [found.get(name) for name in ("block", "rescue", "always", "tasks", "pre_tasks")]
        return [found, *(task for one in inner for task in tasks_of(one))]
    return []
