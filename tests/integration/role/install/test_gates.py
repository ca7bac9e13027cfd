# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml with deploy_gates: no wave begins against the will of a gate."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT

Deploy = Callable[..., "tuple[int, str]"]
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
# Of `deploy_max_fail_percentage: 100` with a host that fails and one that is not in the same wave.
NO = {"name": "never", "command": ["/bin/sh", "-c", "echo too early >&2; exit 3"], "limit": 0}
YES = {"name": "always", "command": ["/bin/true"], "limit": 0}
#: The deployment as it is, but each host is done at once: no host of a test can boot a kernel.
STAND_IN = "- {name: Deploy nothing, ansible.builtin.command: touch {{ touched }}/{{ inventory_hostname }}}\n"


@pytest.fixture
def waves(deploy: Deploy, tmp_path: Path) -> Callable[..., tuple[int, str, list[str]]]:
    """Run the waves of deploy_hosts.yml, with a mark for each host in place of its deployment.

    Returns the exit status, the output, and the hosts that were deployed.
    """
    touched = tmp_path / "touched"
    touched.mkdir()
    book = yaml.safe_load((ROOT / "playbooks/deploy_hosts.yml").read_text())
    play = book[1]
    play["tasks"] = [
        {"name": "Fix", "ansible.builtin.import_role": {
            "name": "oslab.kernel.preflight", "tasks_from": "fix_settings"}},
        *(task for task in play["tasks"] if not set(task) & {"block", "rescue"})][:4]
    play["tasks"].append({"name": "Deploy", "ansible.builtin.file": {
        "path": f"{touched}/{{{{ inventory_hostname }}}}", "state": "touch", "mode": "0600"}})
    play["become"] = False
    play["vars"].update(deploy_published={}, deploy_gated=True, deploy_builder_name="builder",
                        deploy_repository_url="", deploy_package_files=[], deploy_repository_key="")
    play["vars_files"] = []
    play["hosts"] = "kernel_targets"
    path = tmp_path / "waves.yml"
    path.write_text(yaml.safe_dump([play]))

    def run(targets: dict[str, Any], **variables: Any) -> tuple[int, str, list[str]]:
        for old in touched.iterdir():
            old.unlink()
        status, output = deploy(targets, path, **variables)
        return status, output, sorted(one.name for one in touched.iterdir())

    return run

def test_x(waves):
    print(waves({"one": None, "two": None, "three": None}, deploy_gates=[YES, {"name": "s", "soak": 2}, NO])[1])
    assert 0
