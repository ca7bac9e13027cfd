# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real roles and playbooks, run on this machine: builds of the fake kernel tree, deploys."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Connections that fail, or answer, as a test chooses.
CONNECTIONS = Path(__file__).resolve().parent / "connections"


@dataclass
class Run:
    """What ansible-playbook said."""

    status: int
    output: str

    def recap(self, name: str) -> int:
        """A number of the recap line, such as changed or failed."""
        return int(re.findall(rf"\b{name}=(\d+)", self.output)[-1])


Playbook = Callable[..., Run]


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """Run a playbook of the collection with this machine as builder; a builder's work in tmp."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        json.dumps(
            {
                "kernel_builders": {"hosts": {"builder": None}},
                "all": {
                    "vars": {
                        "ansible_connection": "local",
                        "ansible_python_interpreter": "/usr/bin/python3",
                        "source_workdir": str(tmp_path / "work"),
                    }
                },
            }
        )
    )

    def run(book: str, *options: str, checkout: Path = ROOT, **variables: Any) -> Run:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "--inventory",
                str(inventory),
                "--extra-vars",
                json.dumps(variables),
                *options,
                str(checkout / "playbooks" / book),
            ],
            cwd=checkout,
            env={**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    return run


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run playbooks/deploy.yml, or another playbook, for hosts that are all this machine.

    The requested kernel has a name that no kernel has. Returns the exit status and the output.
    """

    def run(
        targets: dict[str, Any],
        playbook: Path = ROOT / "playbooks/deploy.yml",
        **variables: Any,
    ) -> tuple[int, str]:
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(
            json.dumps(
                {
                    "kernel_builders": {"hosts": {"builder": None}},
                    "kernel_targets": {"hosts": targets, "vars": variables},
                    "all": {
                        "vars": {
                            "ansible_connection": "local",
                            "ansible_python_interpreter": "/usr/bin/python3",
                        }
                    },
                }
            )
        )
        more = {
            "publish_result": {"release": "no kernel", "version": "1"},
            # Other tests may run on this machine, too.
            "trial_lock_file": str(tmp_path / "lock"),
        }
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                f"--inventory={inventory}",
                f"--extra-vars={json.dumps(more)}",
                str(playbook),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CONNECTION_PLUGINS": str(CONNECTIONS),
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def fake_tarball(tmp_path: Path) -> Path:
    """The fake kernel tree as kernel.org would ship it."""
    path = tmp_path / "mirror" / "v6.x" / "linux-6.12.tar.xz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:xz") as archive:
        archive.add(ROOT / "tests" / "fixtures" / "fakelinux", "linux-6.12")
    return path
