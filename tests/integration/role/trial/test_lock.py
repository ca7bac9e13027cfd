# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of playbooks/deploy.yml for one host: the second fails and changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

from ansible_collections.oslab.kernel.plugins.plugin_utils import this_run

Deploy = Callable[..., "tuple[int, str]"]


def locked(tmp_path: Path, run: str) -> Path:
    path = tmp_path / "lock"
    path.write_text(json.dumps({"run": run, "text": "Ada elsewhere", "until": 1e12}))
    return path


def test_a_host_that_another_run_has_locked(tmp_path: Path, deploy: Deploy) -> None:
    lock = locked(tmp_path, "elsewhere 1 1")
    before = lock.read_text()
    status, output = deploy({"one": None})
    assert status != 0
    assert (
        "Acquire the deployment lock: one: the deployment lock is held by Ada elsewhere." in output
    )
    # A sentence as any other.
    assert re.search(r"remove \S+ there\. ", output)
    # Read once, before; nothing after it.
    assert output.count("Gather host state") == 1
    assert "Repair interrupted" not in output
    assert re.search(r"Wait until the host answers\] \*+\nskipping: \[one\]", output)
    assert lock.read_text() == before


def test_a_run_that_was_killed_is_not_waited_for(tmp_path: Path, deploy: Deploy) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        run = str(this_run.of(process.pid))
        process.kill()
    lock = locked(tmp_path, run)
    _status, output = deploy({"one": None})
    # It was refused for another reason, and has let go of the host.
    assert "one: the kernel was not confirmed. Check the requested kernel: " in output
    assert lock.read_text() == ""
