# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel that runs already, and a package of it that is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

RECORD = {
    "image": "linux-image-6.12=1",
    "boot_id": "from before",
    "fallback": "6.1",
    "complete": True,
    "confirmed": True,
}


def test_a_package_is_added_to_the_kernel_that_runs(
    tmp_path: Path, playbook: Callable[..., Any]
) -> None:
    role = {"name": "oslab.kernel.install", "tasks_from": "packages/install"}
    play = tmp_path / "play.yml"
    shown = {"ansible.builtin.debug": {"msg": "RECORD {{ install_record | to_json }} ENDS"}}
    known = {"ansible.builtin.set_fact": {"install_record": RECORD}}
    tasks = [known, {"ansible.builtin.include_role": role}, shown]
    play.write_text(
        json.dumps([{"hosts": "kernel_builders", "gather_facts": False, "tasks": tasks}])
    )
    run = playbook(
        str(play),
        "--check",
        install_release="6.12",
        install_version="1",
        install_missing=["oslab-kernel-tools=1"],
        install_complete=True,
        install_running=True,
        install_host_facts={"boot_id": "of now", "files": {}, "sysname": "Linux"},
    )
    assert run.status == 0, run.output
    # The boot in which the kernel was confirmed stays recorded.
    shown_record = run.output.partition("RECORD ")[2].partition(" ENDS")[0]
    assert json.loads(shown_record.replace("\\", "")) == {**RECORD, "complete": False}, run.output
