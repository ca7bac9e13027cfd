# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml: a host that is refused ends its wave, and one that is away does not.

The kernel that is asked for has a name that no kernel has, so that nothing can come of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def deploy(tmp_path: Path, targets: dict[str, Any], **variables: Any) -> tuple[int, str]:
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
    published = {"publish_result": {"release": "no kernel", "version": "1"}}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            f"--inventory={inventory}",
            f"--extra-vars={json.dumps(published)}",
            str(ROOT / "playbooks/deploy.yml"),
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def refused(output: str) -> set[str]:
    return set(re.findall(r"(\w+) did not keep the kernel\. Check what is wanted: ", output))


def test_the_first_wave_that_fails_is_the_last(tmp_path: Path) -> None:
    hosts = {"away": AWAY, "one": None, "two": None, "three": None}
    status, output = deploy(tmp_path, hosts, deploy_serial=[1, "50%"])
    assert status != 0
    # The canary is the first host that answers.
    assert refused(output) == {"one"}
    assert re.search(r"^away +: .*unreachable=1", output, re.MULTILINE)
    assert re.search(r"^three +: .*failed=0", output, re.MULTILINE)
    assert len(re.findall(r"changed=0", output)) == 5


def test_a_wave_is_finished_and_as_many_may_fail_as_are_allowed(tmp_path: Path) -> None:
    hosts = {"one": None, "two": None, "three": None}
    status, output = deploy(tmp_path, hosts, deploy_serial=2, deploy_max_fail_percentage=100)
    assert status != 0
    # Both of the first wave; all of a wave having failed, there is no next one.
    assert refused(output) == {"one", "two"}
