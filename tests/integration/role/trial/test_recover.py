# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a failure is a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - block:
        - name: Ask
          ansible.builtin.fail: {msg: "%s"}
      rescue:
        - ansible.builtin.include_role: {name: oslab.kernel.trial, tasks_from: recover}
    - ansible.builtin.debug:
        msg: "KEPT {{ trial_failure }} ENDS"
"""


@pytest.mark.parametrize("message", ["`/bin/false` ended with 1", "Run update-grub."])
def test_a_failure(tmp_path: Path, deploy: Callable[..., tuple[int, str]], message: str) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY % message)
    # Somebody else's host is left as it is.
    lock = {"trial_lock": {"by": {"text": "Ada elsewhere"}}}
    _status, output = deploy({"one": None}, playbook=play, **lock)
    assert f"KEPT Ask: {message.rstrip('.')}. ENDS" in output
