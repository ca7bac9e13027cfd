# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host loses in a trial boot fails it, unless its administrator allows that."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    run_playbook,
    write_inventory,
)
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    FALLBACK,
    RELEASE,
    answers,
    deploy,
    needs_simulation,
    reported,
    verify,
)

SSH = {
    **{"kind": "unit", "name": "ssh.service", "before": "active (running)", "now": "failed"},
    "state": "lost",
}
DRIVER = {
    **{"kind": "device", "name": "pci 0000:00:1f.2", "before": "ata_piix", "now": "ahci"},
    "state": "changed",
}


def difference(*changes: Any, **more: Any) -> dict[str, Any]:
    return {
        **{"problem": "", "release": FALLBACK, "age": 60, "system": "running", "seconds": 3},
        **{"changes": [*changes], "dropped": 0, "unread": [], **more},
    }


def test_the_verdict_of_verify(tmp_path: Path) -> None:
    allowed = {"verify_health_allowed": [{"pattern": r"^unit ssh\.", "reason": "no sshd there"}]}
    cases: dict[str, tuple[Any, dict[str, Any], str]] = {
        "healthy": (difference(), {}, "none lost"),
        "lost": (difference(SSH), {}, "1 lost"),
        "allowed": (difference(SSH), allowed, "none lost (1 allowed)"),
        "others": (difference(SSH), {"verify_health_required": ["mount"]}, "none lost (1 gone)"),
        "changed": (difference(DRIVER), {}, "none lost (1 changed)"),
        "confirmed": (None, {}, ""),
        "off": (None, {"verify_health": False}, ""),
    }
    hosts = {
        name: {
            "hostile_answers": answers(health=of_host),
            **{"verify_log": False, **variables},
        }
        for name, (of_host, variables, _shown) in cases.items()
    }
    done = verify(tmp_path, hosts)
    failed = re.findall(r"^(\w+) +: .*failed=1", done.output, re.MULTILINE)
    assert failed == ["lost"], done.output
    text = " ".join(done.output.split())
    assert "health, unit ssh.service: expected active (running), read failed" in text
    for name, (_health, _variables, shown) in cases.items():
        table = done.output.partition(f"{name} ({RELEASE})")[2].partition(f" ({RELEASE})")[0]
        assert shown in table, (name, table)
        assert ("| all that worked before |" in table) is bool(shown), (name, table)
        assert ("ata_piix | ahci | reported" in " ".join(table.split())) is (name == "changed")
    found = {name: host["health"] for name, host in reported(tmp_path).items()}
    assert [one["fails"] for one in found["lost"]["changes"]] == [True]
    assert found["allowed"]["changes"][0]["reason"] == "no sshd there"
    assert found["changed"]["changes"][0]["now"] == "ahci"
    assert found["off"]["changes"] == []


def test_what_is_left_on_the_host(tmp_path: Path) -> None:
    """What the host said of itself, to the letter; after a rollback nothing."""
    whole = health.State("6.1", "before", {"unit": {"a\\x2db.service": Item("active {{ x }} 'y'")}})
    role = {"name": "oslab.kernel.trial", "tasks_from": "unlock", "rolespec_validate": False}
    write = {
        "files": "{{ trial_health_record }}",
        "absent": "{{ [] if trial_health_record else [trial_health_file] }}",
    }
    tasks = [
        {"ansible.builtin.import_role": role, "when": False},
        {"oslab.kernel.config_files": write},
    ]
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    hosts: dict[str, dict[str, Any]] = {}
    for name, said in (("deployed", health.encoded(whole)), ("rolled_back", None), ("much", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "health.json").write_text("of an earlier trial boot")
        hosts[name] = {
            **{"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            "install_state_dir": str(tmp_path / name),
            # As the answer of a module: no template.
            "install_host_facts": {"health": {"__ansible_unsafe": said} if said else said},
        }
    run_playbook(
        book, inventory=write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": hosts})
    )
    left = tmp_path / "deployed/health.json"
    assert health.decoded(json.loads(left.read_text())) == whole._replace(left_out=[])
    assert left.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "rolled_back/health.json").exists()
    assert not (tmp_path / "much/health.json").exists()


@pytest.mark.long
@needs_simulation
@pytest.mark.parametrize("lost", [False, True])
def test_a_deployment(lost: bool) -> None:
    """All of playbooks/deploy.yml; only the answers of the host's modules are made up."""
    changes = {"stock": [], "new": [], "health": [SSH, DRIVER] if lost else [DRIVER]}
    status, output, record = deploy(changes)
    assert record["confirmed"] is not lost, output
    assert (status == 0) is not lost, output
    # A confirmed kernel is compared with nothing.
    left = output.rpartition("LEFT ")[2].partition("RECORD ")[0]
    assert ("/var/lib/oslab-kernel/health.json" in left) is lost, output
    text = " ".join(output.split())
    assert "ata_piix | ahci | reported" in text
    if lost:
        assert "web0: the kernel was not confirmed." in text
        assert "health, unit ssh.service: expected active (running), read failed" in text
