# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml with deploy_gates: no wave begins against the will of a gate."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT

Deploy = Callable[..., "tuple[int, str]"]
Waves = Callable[..., "tuple[int, str, list[str]]"]
# The connection breaks at the module that asks whether the host answers.
SILENT = {"ansible_connection": "lossy", "lossy_at": "ping"}
NO = {"name": "too early", "command": ["/bin/sh", "-c", "echo disk full >&2; exit 3"], "limit": 0}
YES = {"name": "always", "command": ["/bin/true"], "limit": 0}
HOSTS: dict[str, Any] = {"one": None, "two": None, "three": None, "four": None}


@pytest.fixture
def waves(deploy: Deploy, tmp_path: Path) -> Waves:
    """Run deploy.yml; the deployment of a host is no more than a file with its name.

    Returns the exit status, the output and the names of the hosts that were deployed.
    """
    books, deployed = tmp_path / "playbooks", tmp_path / "deployed"
    shutil.copytree(ROOT / "playbooks", books)
    deployed.mkdir()
    mark = {
        "name": "Deploy nothing",
        "ansible.builtin.copy": {
            "content": "",
            "dest": f"{deployed}/{{{{ inventory_hostname }}}}",
            "mode": "0600",
        },
        "tags": ["install"],
    }
    (books / "tasks/deploy_host.yml").write_text(json.dumps([mark]))

    def run(targets: dict[str, Any], **variables: Any) -> tuple[int, str, list[str]]:
        given = {"deploy_serial": [1, 2, 1], **variables}
        status, output = deploy(targets, books / "deploy.yml", **given)
        return status, output, sorted(one.name for one in deployed.iterdir())

    return run


class Monitoring(BaseHTTPRequestHandler):
    """Says that an alert fires, and repeats the token that it was asked with."""

    def do_GET(self) -> None:
        alert = {"metric": {"alertname": "Down", "by": self.headers["Authorization"]}}
        body = json.dumps({"status": "success", "data": {"result": [alert]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def monitoring() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Monitoring) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/v1/query"
        server.shutdown()


def test_the_second_wave_does_not_begin_if_a_gate_says_no(
    waves: Waves, monitoring: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "3")
    alerts = {
        "name": "no alert",
        "http": {
            "url": f'{monitoring}?query=ALERTS{{alertstate="firing"}}',
            "headers": {"Authorization": "Bearer kept-for-us-alone"},
            "path": "data.result",
            "value": [],
        },
        "limit": 0,
    }
    # As many may fail as there are: a gate is no failure of a host.
    variables = {
        "deploy_gates": [YES, alerts, NO],
        "deploy_max_fail_percentage": 100,
        "report_dir": str(tmp_path / "report"),
    }
    status, output, deployed = waves(HOSTS, **variables)
    assert status != 0
    assert deployed == ["one"]
    assert "Wave 2, gate 'always' (command: true): yes after 0 s" in output
    assert "The gate 'no alert' (http: http://127.0.0.1" in output
    assert (
        'says no: data.result is [{"metric": {"alertname": "Down", "by": "***"}}], not []' in output
    )
    assert "kept-for-us" not in output
    # What wave 1 has is not recovered, and nobody else is touched.
    assert re.search(r"^one +: .*changed=1 .*failed=0 .*rescued=0", output, re.MULTILINE)
    assert len(re.findall(r"changed=0 .*rescued=0", output)) == 4
    # The report has the last word of each gate that was asked.
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert [(gate["name"], gate["passed"]) for gate in report["gates"]] == [
        ("always", True),
        ("no alert", False),
    ]
    assert {host["name"]: host["outcome"] for host in report["hosts"]} == {
        "one": "not_started",
        "two": "not_started",
        "three": "not_started",
        "four": "not_started",
    }
    assert "gate 'too early'" not in output
    assert "Wave 1," not in output
    assert "Wave 3," not in output


def test_all_waves_if_all_gates_say_yes(waves: Waves) -> None:
    gates = [{"name": "a moment", "soak": 1}, YES]
    status, output, deployed = waves(HOSTS, deploy_gates=gates)
    assert status == 0, output
    assert deployed == sorted(HOSTS)
    for wave in (2, 3):
        assert f"Wave {wave}, gate 'a moment' (soak: 1 s): yes" in output
        assert f"Wave {wave}, gate 'always'" in output
    # Each host of the wave before is asked once, by one of the next wave.
    asked = re.findall(r"^ok: \[(\w+) -> (\w+)\] => \(item=(\w+)\)", output, re.MULTILINE)
    assert asked == [("two", "one", "one"), ("four", "two", "two"), ("four", "three", "three")]


def test_a_host_that_is_silent_after_the_soak_ends_the_run(waves: Waves) -> None:
    hosts = {"one": SILENT, "two": None}
    gates = [{"name": "a moment", "soak": 1, "limit": 1}, YES]
    status, output, deployed = waves(hosts, deploy_gates=gates)
    assert status != 0
    assert deployed == ["one"]
    assert "The gate 'a moment' (soak) says no: at its end one did not answer." in output
    # A person is not asked for a wave that cannot begin.
    assert "gate 'always'" not in output


def test_a_deployment_that_goes_on_has_gates_before_its_first_wave(
    waves: Waves, tmp_path: Path
) -> None:
    """A second run after one that a gate has ended does not begin with a canary of its own."""
    book = tmp_path / "playbooks/find_hosts.yml"
    current = "install_current and install_host_facts.modules_as_wanted"
    assert current in book.read_text()
    # As no kernel of a test can run.
    book.write_text(book.read_text().replace(current, "inventory_hostname == 'one'"))
    # The host has run for some time: the soak is over, and nobody waits for it again.
    gates = [{"name": "a moment", "soak": 1}, NO]
    status, output, deployed = waves(HOSTS, deploy_gates=gates)
    assert status != 0
    assert deployed == []
    assert "Wave 1, gate 'a moment' (soak: 1 s): yes after 0 s" in output
    assert "The gate 'too early'" in output
    assert "-> one]" not in output
