# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is lost in its trial boot: the message gives that reason, and it is recovered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  vars: {{trial_release: "6.12", install_host_facts: {{boot_id: before}}}}
  tasks:
    - block:
        - ansible.builtin.include_role: {include}
      rescue:
        - ansible.builtin.debug:
            msg: "REASON {{{{ ansible_failed_result | oslab.kernel.failure_reason }}}}"
"""


VERIFY = {"name": "oslab.kernel.verify", "apply": {"ignore_unreachable": True}}
CHECK = {"name": "oslab.kernel.trial", "tasks_from": "reboot/check"}


@pytest.mark.parametrize(
    ("include", "module", "reason"),
    [
        (VERIFY, "syscall_info", "gone was lost while it was verified"),
        (
            CHECK,
            "deploy_lock",
            "gone answered in its trial boot of 6.12, and was lost shortly after",
        ),
        (
            CHECK,
            "host_kernel_info",
            "gone answered in its trial boot of 6.12, and was lost shortly after",
        ),
    ],
)
def test_the_reason(
    tmp_path: Path,
    include: dict[str, Any],
    module: str,
    reason: str,
    deploy: Callable[..., tuple[int, str]],
) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY.format(include=json.dumps(include)))
    lost = {"ansible_connection": "lossy", "lossy_at": module}
    variables = {"verify_pid": 1, "trial_lock_file": str(tmp_path / "lock")}
    _status, output = deploy({"gone": lost}, playbook=play, **variables)
    said = " ".join(output.partition("REASON")[2].split())
    assert said.startswith(f"{reason}: ")
    assert "the line is cut" in said
