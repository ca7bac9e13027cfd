# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder and targets for the role `config`, which ansible-playbook runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.tests.lib.playbook import run_playbook

STOCK_CONFIG = """\
CONFIG_NET=y
CONFIG_KEYS=y
CONFIG_SYSTEM_TRUSTED_KEYRING=y
CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs/x.pem"
CONFIG_SYSTEM_REVOCATION_LIST=y
CONFIG_SYSTEM_REVOCATION_KEYS="debian/canonical-revoked-certs.pem"
CONFIG_LOCALVERSION="-distro"
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y
CONFIG_DEBUG_INFO_BTF=y
CONFIG_EXT4_FS=m
CONFIG_XFS_FS=m
CONFIG_VIRTIO_BLK=m
CONFIG_VIRTIO_NET=m
CONFIG_NVME_CORE=m
CONFIG_USB_HID=m
CONFIG_SND_DUMMY=m
"""

PLAYBOOK = """\
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        kernel_target_info: "{{ host_info }}"
      when: host_info is defined
- hosts: builder
  gather_facts: false
  roles:
    - role: oslab.kernel.config
"""


class Lab:
    """A builder, some targets, and a way to run the role."""

    def __init__(self, tmp_path: Path, tree: Path) -> None:
        self.tmp_path, self.tree = tmp_path, tree
        self.inputs = tree.parent / "inputs"
        self.targets: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, Any] = {"config_tree": str(tree)}
        (tmp_path / "play.yml").write_text(PLAYBOOK)

    def target(self, name: str, config: str = STOCK_CONFIG, **changes: Any) -> None:
        """What host_kernel_info tells of a host; modules and essential_modules as given."""
        boot = self.tmp_path / f"config-{name}"
        boot.write_text(config)
        info: dict[str, Any] = {"release": "6.1.0-stock", "boot_config": str(boot)}
        info.update(boot_config_sha256="x", oslab=None, free_kib={"/": 1})
        info.update(modules=[], essential_modules=[])
        self.targets[name] = {"host_info": {**info, **changes}}

    def run(self, *arguments: str, ok: bool = True, **variables: Any) -> str:
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {
            "all": {"vars": local},
            "builders": {"hosts": {"builder": {}}},
            "kernel_targets": {"hosts": self.targets},
        }
        (self.tmp_path / "hosts.json").write_text(json.dumps(inventory))
        (self.tmp_path / "vars.json").write_text(json.dumps({**self.variables, **variables}))
        done = run_playbook(
            self.tmp_path / "play.yml",
            *("--extra-vars", f"@{self.tmp_path}/vars.json"),
            *arguments,
            inventory=self.tmp_path / "hosts.json",
            cwd=self.tmp_path,
            ANSIBLE_LOCALHOST_WARNING="false",
        )
        assert (done.status == 0) == ok, done.output
        return done.output

    def config(self) -> dict[str, str]:
        lines = (self.tree / ".config").read_text().splitlines()
        return dict(line[len("CONFIG_") :].split("=", 1) for line in lines if line[:1] == "C")

    def modules(self) -> set[str]:
        return {name for name, value in self.config().items() if value == "m"}
