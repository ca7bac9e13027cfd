# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of metrics says what a verification found, and what became of the trial boot."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    ROOT,
    run_playbook,
    write_inventory,
)
from ansible_collections.oslab.kernel.tests.lib.promtool import complaints, needs_promtool
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    FALLBACK,
    RELEASE,
    answers,
    verify,
)

HOSTILE = '{{ 1 + 1 }}" \n\\ x'
CHECK = {"name": "release", "ok": True}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="it needs root")


def answer(**changes: Any) -> str:
    """What a host that is as it should be answers, with these changes."""
    known = json.loads(answers())
    known["syscall_info"].update(
        {
            **{"sysname": HOSTILE, "boot_id": "b007", "boot_time": 1000, "time": 2000},
            **{"checks": [CHECK], "trial": {"state": "confirmed", "downtime": 31}},
            **changes,
        }
    )
    # The test's own variable is a template; what the host answers must not become one.
    return json.dumps(known).replace("{{", r"\u007b\u007b")


@needs_promtool
def test_each_verification_writes_its_own(tmp_path: Path) -> None:
    changes: dict[str, dict[str, Any]] = {
        "good": {},
        "bad": {"checks": [CHECK, {"name": "sysname", "ok": False}]},
        "other": {"release": FALLBACK, "manifest": None, "trial": {"state": "fallback"}},
    }
    hosts: dict[str, dict[str, Any]] = {
        name: {
            **{"hostile_answers": answer(**of_host), "verify_log": False},
            "verify_metrics_dir": str(tmp_path / name),
        }
        for name, of_host in changes.items()
    }
    (tmp_path / "reports").mkdir(mode=0o750)
    hosts["off"] = {"hostile_answers": answer(), "verify_log": False}
    done = verify(tmp_path, hosts)
    outcomes = dict(re.findall(r"^(\w+) +: .*(changed=0 .*failed=\d)", done.output, re.MULTILINE))
    failed = {name for name, outcome in outcomes.items() if not outcome.endswith("failed=0")}
    assert failed == {"bad", "other"}, done.output
    # Nor does the first file of all change anything that is managed.
    assert {*changes, "off"} <= set(outcomes), done.output

    files = {path.parent.name: path for path in tmp_path.glob("*/oslab-kernel.prom")}
    assert set(files) == set(changes)
    texts = {name: path.read_text() for name, path in files.items()}
    for name, path in files.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert [one.name for one in path.parent.iterdir()] == [path.name]
        assert complaints(texts[name]) == "", texts[name]
    assert r'sysname="{{ 1 + 1 }}\" \\n\\ x"} 1' in texts["good"], texts["good"][:400]
    success = "oslab_kernel_verification_success"
    assert f"{success} 1\n" in texts["good"]
    assert f"{success} 0\n" in texts["bad"]
    assert f"{success} 0\n" in texts["other"]
    assert f'oslab_kernel_info{{release="{FALLBACK}"' in texts["other"]
    assert 'state="fallback"} 1' in texts["other"]
    assert 'checks{result="failed"} 1' in texts["bad"]


def test_what_the_trial_boot_leaves(tmp_path: Path) -> None:
    """The contents that the roles trial and remove give to their tasks."""
    facts: dict[str, Any] = {
        "release": RELEASE,
        "boot_id": "1",
        "kernel_log": None,
        "files": {},
        "trial": RELEASE,
    }
    known = {
        **{"install_running": False, "trial_fallback": FALLBACK, "install_record": {}},
        **{"install_record_file": "/x", "install_image": "linux-image-x=1"},
        **{"install_host_facts": facts, "trial_host_facts": facts, "trial_release": RELEASE},
        **{"trial_result": {"rebooted": True, "downtime": 31}, "verify_metrics_dir": "/m"},
        **{"verify_result": {"release": RELEASE, "time": 2000}},
        **{"verify_shown": {"counts": {"ok": 3, "failed": 0, "unknown": 0}}},
    }
    returned = {"release": FALLBACK, "trial": None, "oslab": None}
    hosts: dict[str, dict[str, Any]] = {
        "confirmed": known,
        "rolledback": known,
        "recovered": {**known, "trial_host_facts": returned},
        "off": {**known, "verify_metrics_dir": ""},
    }
    role = {"name": "oslab.kernel.trial", "tasks_from": "unlock", "rolespec_validate": False}
    shown = (
        "{{ [trial_confirmed_records, trial_confirmed_metrics_text, trial_failed_metrics_text,"
        " trial_metrics_wanted, trial_metrics_file] | to_json }}"
    )
    tasks = [
        {"ansible.builtin.import_role": role, "when": False},
        # As the role does when it has rolled back.
        {
            "ansible.builtin.set_fact": {"trial_record_changes": {"confirmed": False}},
            "when": "inventory_hostname == 'rolledback'",
        },
        {
            "ansible.builtin.copy": {
                "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.out",
                "content": shown,
                "mode": "0600",
            },
            "connection": "local",
        },
    ]
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    done = run_playbook(
        book, inventory=write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": hosts})
    )
    found = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.out")}
    assert set(found) == set(hosts), done.output

    (record,), metrics, failed, wanted, path = found["confirmed"]
    assert wanted
    assert path == "/m/oslab-kernel.prom"
    assert 'state="confirmed"} 1' in metrics
    assert "trial_downtime_seconds 31\n" in metrics
    assert "verification_success 1\n" in metrics
    assert "verification_timestamp_seconds 2000\n" in metrics
    recorded = json.loads(record["content"])
    assert recorded["downtime"] == 31
    assert f"confirmed_timestamp_seconds {recorded['confirmed_time']}"[:-2] in metrics
    # A trial boot that cannot be ended from here goes on.
    assert 'state="unconfirmed"} 1' in failed

    assert 'state="fallback"} 1' in found["rolledback"][1]
    after = found["recovered"][2]
    assert 'state="fallback"} 1' in after
    assert f'release="{FALLBACK}"' in after
    assert "verification_timestamp" not in after

    records, *_texts, wanted, path = found["off"]
    assert (len(records), wanted) == (1, False)
    # It may have been written before.
    assert path == "/var/lib/prometheus/node-exporter/oslab-kernel.prom"


def test_remove_takes_the_file_away() -> None:
    tasks = yaml.safe_load((ROOT / "roles/remove/tasks/rollback_timer/remove.yml").read_text())
    (absent,) = [
        one["oslab.kernel.config_files"]["absent"]
        for one in tasks
        if "oslab.kernel.config_files" in one
    ]
    assert "trial_metrics_file" in absent
