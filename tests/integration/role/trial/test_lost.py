# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is lost while it is verified: the message gives that reason."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role:
            name: oslab.kernel.verify
            apply: {ignore_unreachable: true}
      rescue:
        - ansible.builtin.debug:
            msg: "REASON {{ ansible_failed_result | oslab.kernel.failure_reason }}"
"""


@pytest.mark.parametrize("module", ["syscall_info"])
def test_the_reason(tmp_path: Path, module: str, deploy: Callable[..., tuple[int, str]]) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    lost = {"ansible_connection": "lossy", "lossy_at": module}
    _status, output = deploy({"gone": lost}, playbook=play, verify_pid=1)
    assert "REASON gone was lost while it was verified: " in output
    assert "the line is cut" in output.partition("REASON")[2]
