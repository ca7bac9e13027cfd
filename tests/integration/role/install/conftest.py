# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml against hosts that are all this machine.

The kernel that is asked for has a name that no kernel has, so that nothing can come of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

ROOT = Path(__file__).resolve().parents[4]
HERE = Path(__file__).resolve().parent


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run it, or another playbook; exit status and what was said."""

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
                "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connections"),
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run
