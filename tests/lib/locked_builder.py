# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders that share what is in git: an inventory, patches and the lock; nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG
from ansible_collections.oslab.kernel.tests.lib.hostile_host import INFO
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    LOCAL,
    ROOT,
    Run,
    run_playbook,
)

PATCH = """\
--- a/fs/open.c
+++ b/fs/open.c
@@ -1 +1,2 @@
+/* a patch of the user's */
 // SPDX-License-Identifier: GPL-2.0-only
"""


def target(config: str = STOCK_CONFIG, **facts: Any) -> dict[str, str]:
    """Variables of a host that answers so."""
    info = {**INFO, "boot_config": "/boot/config-x", "boot_config_sha256": "0" * 64, **facts}
    text = base64.b64encode(config.encode()).decode()
    answers = {
        "host_kernel_info": {"changed": False, **info},
        "boot_config_info": {"changed": False, "content": text},
    }
    return {"ansible_connection": "hostile", "hostile_answers": json.dumps(answers)}


def altered(package: Path, scratch: Path) -> Path:
    """The same package with another byte in one of its files."""
    tree, target = scratch / "tree", scratch / package.name
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    (config,) = tree.glob("boot/config-*")
    data = bytearray(config.read_bytes())
    data[0] ^= 1
    config.write_bytes(bytes(data))
    subprocess.run(["dpkg-deb", "--build", tree, target], check=True)
    return target


class Builder:
    """A machine with a checkout of the inventory's repository, and a directory of its own."""

    def __init__(self, directory: Path, tarball: Path) -> None:
        self.work, self.repository = directory / "work", directory / "repository"
        self.repository.mkdir(parents=True)
        self.tarball = directory / tarball.name
        shutil.copy(tarball, self.tarball)
        self.patch = self.repository / "mine.patch"
        self.targets: dict[str, dict[str, Any]] = {}
        self.path = os.environ["PATH"]
        self.variables: dict[str, Any] = {
            "source_provider": "file",
            "source_version": "6.12",
            "patch_series": ["mine.patch"],
            "build_modules_source": "",
            "build_tools_source": "",
            "build_min_free_gib": 1,
            "build_lock": "kernel.lock",
        }

    @property
    def lock(self) -> Path:
        return self.repository / "kernel.lock"

    @property
    def locked(self) -> dict[str, Any]:
        found = yaml.safe_load(self.lock.read_text())
        assert isinstance(found, dict)
        return found

    def run(self, book: str, *options: str, **variables: Any) -> Run:
        here = {"source_workdir": self.seen(self.work), "source_file": self.seen(self.tarball)}
        groups: dict[str, Any] = {
            "all": {"vars": LOCAL},
            "kernel_builders": {
                "hosts": {"builder": {}},
                "vars": {**self.variables, **here, **variables},
            },
        }
        if self.targets:
            groups["kernel_targets"] = {"hosts": self.targets}
        inventory = self.repository / "hosts.json"
        inventory.write_text(json.dumps(groups))
        return self.play(book, "--skip-tags", "publish", *options, inventory=inventory)

    def seen(self, path: Path) -> str:
        """What the builder calls a path of this machine."""
        return str(path)

    def play(self, book: str, *options: str, inventory: Path) -> Run:
        """Run a playbook on the builder: one of the collection, or a path that the builder sees."""
        return run_playbook(
            ROOT / "playbooks" / book,
            *options,
            inventory=inventory,
            ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
            PATH=self.path,
        )

    def must_run(self, book: str, *options: str, **variables: Any) -> Run:
        done = self.run(book, *options, **variables)
        assert done.status == 0, done.output
        return done

    def packages(self) -> dict[str, dict[str, str]]:
        """Build id → name and checksum of each package in the store."""
        return {
            place.name: {
                file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in place.glob("*.deb")
            }
            for place in (self.work / "store").glob("[0-9a-f]*")
        }
