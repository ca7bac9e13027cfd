# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of which only the answers are made up, verified or deployed to by the real playbooks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    ROOT,
    Run,
    run_playbook,
    write_inventory,
)

RELEASE, FALLBACK = "6.12.1-x", "6.1.0-44-amd64"
needs_simulation = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not Path("/usr/sbin/sshd").exists(),
    reason="it needs root, unshare and sshd",
)


def answers(*, kernel_log: Any = None, health: Any = None) -> str:
    """What the modules of the role verify answer on a host where all else is right."""
    manifest = {"release": RELEASE, "build_id": "0" * 64, "banner": ""}
    sizes = {"image": 1, "initrd": 1, "modules": 1}
    return json.dumps(
        {
            "syscall_info": {
                **{"release": RELEASE, "manifest": manifest, "manifest_path": "/x"},
                **{"checks": [], "kernel_log": kernel_log, "health": health, "files": None},
            },
            "kernel_files": {
                **{"checks": [], "method": "list", "reason": ""},
                "sizes": {
                    **{"release": RELEASE, "sizes": sizes},
                    **{"stock_release": FALLBACK, "stock_sizes": sizes},
                },
            },
        }
    )


def verify(
    directory: Path, hosts: Mapping[str, Mapping[str, Any]], *options: str, **groups: Any
) -> Run:
    """playbooks/verify.yml with all checks shown; `reported` has its report.

    :param groups: other ones than one builder.
    """
    hostile = {name: {"ansible_connection": "hostile", **about} for name, about in hosts.items()}
    return run_playbook(
        ROOT / "playbooks/verify.yml",
        *options,
        inventory=write_inventory(
            directory / "hosts.json", kernel_targets={"hosts": hostile}, **groups
        ),
        variables={
            **{"verify_store": "", "verify_show": "all"},
            "report_dir": str(directory / "report"),
        },
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
    )


def reported(directory: Path) -> dict[str, dict[str, Any]]:
    """By their names, the hosts in the report of `verify`."""
    report = json.loads((directory / "report/report.json").read_text(encoding="utf-8"))
    return {host["name"]: host for host in report["hosts"]}


class Deployment(NamedTuple):
    status: int
    output: str
    record: dict[str, Any]  # install.json of the host


def deploy(changes: Mapping[str, Any]) -> Deployment:
    """All of playbooks/deploy.yml, for a host that answers with these changes: see simulate.py."""
    # sshd does not take a directory that others may not enter.
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        script = ROOT / "tests/integration/role/trial/simulate.py"
        done = subprocess.run(
            [sys.executable, str(script), f"{directory}/work", json.dumps(changes)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=1800,
            check=False,
        )
    output = done.stdout.decode()
    return Deployment(done.returncode, output, json.loads(output.rpartition("RECORD ")[2]))
