# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout in which people have worked, and an Ansible that has nothing but the collection."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent

# What tools and a `make` in files/kernel leave behind in a checkout.
LITTER = (
    ".ansible/tmp/x",
    ".cache/x",
    ".idea/x.xml",
    ".mypy_cache/x.json",
    ".venv/bin/python",
    "files/kernel/modules/.io_throttle_mod.o.cmd",
    "files/kernel/modules/Module.symvers",
    "files/kernel/modules/io_throttle_mod.ko",
    "files/kernel/modules/io_throttle_mod.mod.c",
    "files/kernel/modules/io_throttle_mod.o",
    "files/kernel/modules/modules.order",
    "files/kernel/selftests/build/io",
    "files/kernel/tools/get_io_throttle",
    "files/kernel/tools/include/linux/oslab.h",
    "molecule/default/x.retry",
    "oslab-kernel-0.0.1.tar.gz",
    "playbooks/site.retry",
    "plugins/modules/__pycache__/kconfig.cpython-311.pyc",
    "roles/patch/.cache/x",
    "tests/unit/.pytest_cache/x",
)


@dataclass
class Installed:
    """An Ansible that has this collection and nothing else."""

    home: Path

    @property
    def path(self) -> Path:
        return self.home / "collections/ansible_collections/oslab/kernel"

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Called where no ansible.cfg is."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")
        }
        return subprocess.run(
            [str(BIN / program), *map(str, arguments)],
            cwd=self.home,
            env={
                **environment,
                "HOME": str(self.home),
                "ANSIBLE_COLLECTIONS_PATH": str(self.home / "collections"),
                "ANSIBLE_NOCOLOR": "1",
                "PYTHONPATH": "",
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )


def kept_by_git() -> list[str]:
    """The files of the checkout, also those that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
