# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that come through the control node are the ones that were published."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Callable

import pytest

RELEASE, VERSION = "6.12.0-test", "6.12.0-oslab1.0123456789ab"
NAME = f"linux-image-{RELEASE}_{VERSION}_amd64.deb"
GOOD = b"as it was published"


def tasks(name: str) -> dict[str, object]:
    role = {"name": "oslab.kernel.install", "tasks_from": name}
    return {"ansible.builtin.include_role": role}


@pytest.mark.parametrize("content", [b"something else", GOOD])
def test_what_arrives_is_compared_before_apt_reads_it(
    tmp_path: Path,
    deploy: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    file = tmp_path / NAME
    file.write_bytes(content)
    play = tmp_path / "play.yml"
    hosts = {"hosts": "kernel_targets", "gather_facts": False}
    # As tasks/main.yml has it.
    block = {
        "block": [tasks("transfer/copy"), tasks("packages/simulate")],
        "always": [tasks("transfer/remove")],
    }
    play.write_text(json.dumps([{**hosts, "tasks": [block]}]))
    _status, output = deploy(
        {"one": None},
        play,
        install_release=RELEASE,
        install_version=VERSION,
        install_missing=[f"linux-image-{RELEASE}={VERSION}"],
        install_copy_files=[str(file)],
        install_copy_sha256={f"pool/{NAME}": hashlib.sha256(GOOD).hexdigest()},
        install_host_facts={"sysname": "Linux", "files": {}},
    )
    refused = f"one: {NAME} arrived with the sha256 {hashlib.sha256(content).hexdigest()}"
    assert (refused in output) is (content != GOOD), output
    # What apt is handed, which is no package.
    handed = re.search(rf"apt cannot install linux-image-{RELEASE}: .*/oslab-kernel-", output)
    assert bool(handed) is (content == GOOD), output
    assert not list(temporary.glob("*oslab*"))
