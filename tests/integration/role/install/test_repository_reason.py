# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host does not take the kernel from the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: oslab.kernel.install, tasks_from: repository/configure}
      vars:
        install_source_file: "{{ there }}/kernel.sources"
        install_preferences_file: "{{ there }}/pins"
        install_host_facts: {files: {"SOURCE": null, "PINS": null}}
"""
PINNED = "apt's preferences forbid to install linux-image-6.99 (priority -1): 'Package: x' in /y."
UNREACHABLE = "apt cannot fetch the index of packages: http://x InRelease: Connection refused."


@pytest.mark.parametrize(
    ("answer", "expected", "unexpected"),
    [
        ({"pinned": True, "msg": PINNED}, f"{PINNED} Nothing was installed.", "cannot use"),
        (
            {"pinned": False, "msg": UNREACHABLE},
            f"one cannot use the repository http://b:8080 (install_repository_url, by default "
            f"publish_url): {UNREACHABLE} Nothing was installed. Check that",
            "forbid",
        ),
    ],
)
def test_the_reason_is_what_apt_says(
    tmp_path: Path,
    deploy: Callable[..., tuple[int, str]],
    answer: dict[str, Any],
    expected: str,
    unexpected: str,
) -> None:
    play = tmp_path / "play.yml"
    source, pins = tmp_path / "kernel.sources", tmp_path / "pins"
    play.write_text(PLAY.replace("SOURCE", str(source)).replace("PINS", str(pins)))
    status, output = deploy(
        {"one": None},
        playbook=play,
        ansible_connection="hostile",
        hostile_answers=json.dumps({"apt_update": {"failed": True, **answer}}),
        there=str(tmp_path),
        install_repository_url="http://b:8080",
        install_repository_key="-----BEGIN PGP PUBLIC KEY BLOCK-----",
        install_repository_pin=False,
        install_missing=["linux-image-6.99=1"],
    )
    assert status != 0
    words = " ".join(output.split())
    assert expected in words, output
    assert unexpected not in words
    # It names no repository after that.
    assert not source.exists()
