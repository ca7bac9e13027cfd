# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a failure: a sentence, and on the host what must not be tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

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


@pytest.mark.parametrize(
    ("known", "recorded"),
    [
        ({"trial_rebooted": {"rebooted": True}}, True),
        # On a host that finishes its trial boot by itself.
        ({"trial_unconfirmed": True}, True),
        # Nothing was booted.
        ({"trial_rebooted": {"rebooted": False}}, False),
        ({}, False),
        # A rollback, to another kernel.
        ({"trial_rebooted": {"rebooted": True}, "trial_release": "6.1"}, False),
    ],
)
def test_a_trial_boot_that_failed_is_recorded(
    tmp_path: Path, deploy: Callable[..., tuple[int, str]], known: dict[str, Any], recorded: bool
) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY % "2 checks failed")
    record = {"image": "linux-image-6.12=1", "complete": True, "confirmed": False}
    _status, output = deploy(
        {"one": None},
        playbook=play,
        install_host_facts={"install_record": record, "boot_loader": "grub", "systemd": False},
        install_release="6.12",
        install_image="linux-image-6.12=1",
        install_record_file=str(tmp_path / "install.json"),
        **known,
    )
    path = tmp_path / "install.json"
    assert path.exists() == recorded, output
    if recorded:
        found = json.loads(path.read_text())
        assert {name: found[name] for name in record} == record
        assert found["failure"]["image"] == "linux-image-6.12=1"
        assert found["failure"]["reason"] == "Ask: 2 checks failed."
