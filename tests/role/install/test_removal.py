# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/remove.yml and the record that stands on the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "is not a JSON object"),
        ('{"directories": 7}', "directories is 7 and has to be a list"),
        ('{"packages": {"linux-libc-dev": ["1"]}}', "packages is"),
    ],
)
def test_a_record_that_cannot_be_used(
    tmp_path: Path, playbook: Callable[..., Any], text: str, said: str
) -> None:
    origin = tmp_path / "origin.json"
    origin.write_text(text)
    play = tmp_path / "play.yml"
    role = {"name": "oslab.kernel.install", "tasks_from": "remove"}
    tasks = [{"ansible.builtin.include_role": role}]
    play.write_text(
        json.dumps([{"hosts": "kernel_builders", "gather_facts": False, "tasks": tasks}])
    )
    # This machine has nothing of ours; nothing is changed in any case.
    run = playbook(str(play), "--check", install_origin_file=str(origin), install_release="6.12")
    assert run.recap("failed") == 1
    words = " ".join(run.output.split())
    assert f"builder: {origin} " in words
    assert said in words
    assert "Traceback" not in run.output
    assert "filter" not in run.output
