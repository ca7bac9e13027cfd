# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel of the trial boot sends what it prints, and the builder receives it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    ROOT,
    Run,
    run_playbook,
    write_inventory,
)

START = {"name": "oslab.kernel.trial", "tasks_from": "netconsole/start"}
# As a kernel sends it, from the port that its argument names.
SEND = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kernel:
    kernel.bind((sys.argv[1], 6665))
    kernel.sendto(b"[   12.000000] Kernel panic - not syncing: x\\n", (sys.argv[1], 6666))
"""


def routes() -> list[dict[str, Any]]:
    """To this machine's router."""
    if not shutil.which("ip"):
        return []
    done = subprocess.run(
        ["ip", "-json", "-4", "route", "show", "default"],
        capture_output=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    return [one for one in json.loads(done.stdout or b"[]") if one.get("gateway")]


needs_route = pytest.mark.skipif(not routes(), reason="it needs a default route")


def started(tmp_path: Path, *tasks: dict[str, Any], **variables: Any) -> Run:
    facts = {"systemd": True, "systemd_version": 252, "watchdogs": [], "trial": None}
    shown: dict[str, Any] = {
        "vars": {"source": "{{ trial_netconsole_way.source }}"},
        "ansible.builtin.debug": {
            "msg": "WORDS {{ trial_all_arguments | join(' ') }} FROM {{ source }}"
        },
    }
    play = {
        "hosts": "kernel_targets",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.include_role": {**START, "public": True}}, shown, *tasks],
    }
    book = tmp_path / "play.yml"
    book.write_text(yaml.safe_dump([play]))
    known = {"install_host_facts": facts, "install_release": "6.8", **variables}
    inventory = write_inventory(
        tmp_path / "hosts.json",
        kernel_targets={"hosts": {"web1": {"install_copy_host": "builder"}}},
    )
    log = {"trial_netconsole_log": str(tmp_path / "logs/web1.log")}
    return run_playbook(book, inventory=inventory, variables={**known, **log})


def words(output: str) -> list[str]:
    return " ".join(output.split()).partition("WORDS ")[2].split()


@needs_route
def test_what_a_kernel_sends_is_received(tmp_path: Path) -> None:
    [route, *_others] = routes()
    path = tmp_path / "logs/web1.log"
    (tmp_path / "send.py").write_text(SEND)
    wait = {"ansible.builtin.wait_for": {"path": str(path), "timeout": 60}}
    send = {
        "ansible.builtin.command": {
            "argv": ["python3", str(tmp_path / "send.py"), "{{ trial_netconsole_way.source }}"]
        }
    }
    arrived = {
        "ansible.builtin.wait_for": {"path": str(path), "search_regex": "panic", "timeout": 60}
    }
    try:
        done = started(
            tmp_path,
            wait,
            send,
            arrived,
            trial_netconsole="builder",
            # The router is the builder here; what arrives came from this machine.
            install_repository_url=f"http://{route['gateway']}:8090",
        )
        assert done.status == 0, done.output
        found = words(done.output)
        source = found[found.index("FROM") + 1].rstrip("'\\\"")
        argument = next(one for one in found if one.startswith("netconsole.netconsole="))
        assert f"6665@{source}/{route['dev']},6666@{route['gateway']}/" in argument
        assert "modules_load=netconsole" in found
        assert path.read_text() == "[   12.000000] Kernel panic - not syncing: x\n"
    finally:
        # Its receiver ends then.
        path.unlink(missing_ok=True)
        time.sleep(2)


def test_a_host_that_cannot_send_boots_without(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8090"
    done = started(tmp_path, trial_netconsole="builder", install_repository_url=url)
    assert done.status == 0, done.output
    text = " ".join(done.output.split())
    assert "web1 sends nothing to 127.0.0.1 by netconsole" in text
    assert "that is the host itself" in text
    assert not any("netconsole" in one for one in words(done.output))
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("value", ["builder", ""])
def test_a_builder_without_an_address_is_refused(tmp_path: Path, value: str) -> None:
    tasks = yaml.safe_load((ROOT / "roles/trial/tasks/preflight.yml").read_text())
    [check] = [one for one in tasks if one["name"] == "Fail if netconsole has no receiver"]
    book = tmp_path / "play.yml"
    role = {"name": "oslab.kernel.trial", "tasks_from": "lock"}
    import_role = {"ansible.builtin.import_role": role, "when": False}
    play = {"hosts": "kernel_targets", "gather_facts": False, "tasks": [import_role, check]}
    book.write_text(yaml.safe_dump([play]))
    inventory = write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": {"web1": {}}})
    variables = {"trial_netconsole": value, "install_repository_url": "http://builder:8090"}
    done = run_playbook(book, inventory=inventory, variables=variables)
    assert (done.status == 0) == (not value), done.output
    if value:
        text = " ".join(done.output.split())
        assert (
            "web1: trial_netconsole is builder, but the builder's repository, 'http://builder"
            in text
        )
