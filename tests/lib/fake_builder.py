# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder of the fake kernel tree: its variables, and build roots that take no time to make."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

# It stands for mmdebstrap, and counts how often it was called.
MMDEBSTRAP = """#!/usr/bin/python3
import io, sys, tarfile
status = "Package: gcc\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 12\\n"
index = f"Package: gcc\\nArchitecture: amd64\\nVersion: 12\\nSHA256: {'c' * 64}\\n"
files = {"usr/bin/gcc": "", "var/lib/dpkg/status": status, "var/lib/apt/lists/x_Packages": index}
target = next(word for word in sys.argv if word.endswith(".tar"))
with tarfile.open(target, "w") as tar:
    for name, text in files.items():
        member = tarfile.TarInfo(f"./{name}")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
with open(__file__ + ".calls", "a") as calls:
    calls.write("made\\n")
"""


def variables(top: Path, tarball: Path, work: Path) -> dict[str, Any]:
    """Of a builder that publishes below `top`, which nobody serves."""
    return {
        "source_provider": "file",
        "source_version": "6.12",
        "source_file": str(tarball),
        "source_workdir": str(work),
        "build_min_free_gib": 1,
        "build_modules_source": "",
        "build_tools_source": "",
        "build_smoke_test": "false",
        "build_metrics_dir": str(top / "metrics"),
        "publish_root": str(top / "repository"),
        "publish_server": "none",
        "publish_url": "http://192.0.2.1:8090",
        "report_dir": "",
    }


def have_mmdebstrap(top: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put it into PATH; the variables of a builder that uses build roots."""
    program = top / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text(MMDEBSTRAP)
    program.chmod(0o755)
    keyring = top / "keyring.gpg"
    keyring.write_bytes(b"keys")
    patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return {"build_environment": "root", "build_root_keyring": str(keyring)}


def root_play(path: Path) -> Path:
    """A playbook that makes the build root, as the roles config and build do."""
    role = {"name": "oslab.kernel.build", "tasks_from": "root"}
    task = {"name": "Make the build root", "ansible.builtin.import_role": role}
    play = {"hosts": "kernel_builders", "gather_facts": False, "tasks": [task]}
    path.write_text(json.dumps([play]))
    return path


def stand_in(tree: Path) -> None:
    """Let this machine's file system stand for that of the root."""
    shutil.rmtree(tree)
    tree.symlink_to("/")
