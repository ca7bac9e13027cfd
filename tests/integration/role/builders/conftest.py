# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One inventory with two builders, which are names of this machine, and a target of each."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import fake_builder
from ansible_collections.oslab.kernel.tests.lib.locked_builder import target
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    LOCAL,
    ROOT,
    Run,
    run_playbook,
)

SYSCALL = "SYSCALL_DEFINE0({name})\n{{\n\treturn {number};\n}}\n"


class Classroom:
    """Kernels of the fake tree. All that a run writes is below `top`."""

    def __init__(self, top: Path, tarball: Path) -> None:
        self.top, self.root = top, top / "repository"
        self.work = top / "work"
        self.variables: dict[str, Any] = {
            **fake_builder.variables(top, tarball, self.work),
            "publish_metrics_dir": str(top / "metrics"),
        }
        (top / "metrics").mkdir()
        self.builders: dict[str, dict[str, Any]] = {
            "alice": self.student("alice", {"PM": "y"}),
            "bob": self.student("bob", {"PM": "n"}),
        }
        self.targets: dict[str, dict[str, Any]] = {
            "pc-a": target(modules=["ext4"], essential_modules=[]),
            "pc-b": {**target(modules=["xfs"], essential_modules=[]), "kernel_from": "bob"},
        }

    def student(self, name: str, options: dict[str, str]) -> dict[str, Any]:
        """Variables of a kernel with a name, a message and a syscall of its own."""
        source = self.top / f"ask_{name}.c"
        source.write_text(SYSCALL.format(name=f"ask_{name}", number=len(name)))
        entry = {"name": f"ask_{name}", "source": str(source), "kconfig": f"ASK_{name.upper()}"}
        return {
            "version_extraversion": f"-1-{name}",
            "patch_sysname": f"Linux of {name}",
            "patch_banner": f"Hello from {name}\n",
            "patch_syscalls_extra": [entry],
            "config_options": options,
        }

    def run(self, book: str, *options: str, **variables: Any) -> Run:
        groups: dict[str, Any] = {
            "all": {"vars": {**LOCAL, **variables}},
            "kernel_builders": {"hosts": self.builders, "vars": self.variables},
            "kernel_targets": {"hosts": self.targets},
        }
        inventory = self.top / "hosts.json"
        inventory.write_text(json.dumps(groups))
        return run_playbook(
            ROOT / "playbooks" / book,
            *options,
            inventory=inventory,
            ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        )

    def must_run(self, book: str, *options: str, **variables: Any) -> Run:
        done = self.run(book, *options, **variables)
        assert done.status == 0, done.output
        return done

    def description(self) -> dict[str, Any]:
        found = json.loads((self.root / "public/oslab-kernel.json").read_text())
        assert isinstance(found, dict)
        return found


@pytest.fixture
def classroom(fake_tarball: Path) -> Iterator[Classroom]:
    missing = [name for name in ("aptly", "gpg", "dpkg-deb") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    # gpg-agent's socket has a path of at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="oslab") as name:
        made = Classroom(Path(name), fake_tarball)
        yield made
        home = str(made.root / "gnupg")
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
