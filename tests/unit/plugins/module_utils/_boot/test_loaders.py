# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot loader that a module's options name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import loaders

ROOT = "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"


def test_grub_asks_whether_its_files_are_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = tmp_path / "boot"
    for name in ("etc/fstab", "proc/self/mountinfo", "proc/cmdline", "boot/grub.cfg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "etc/fstab").write_text(f"UUID=2 {boot} ext4 defaults 0 2\n")
    (tmp_path / "proc/self/mountinfo").write_text(ROOT)
    monkeypatch.setattr(loaders, "ROOT", tmp_path)
    names = {"config": "grub.cfg", "environment": "grubenv", "custom": "custom.cfg"}
    params = {option: str(boot / name) for option, name in names.items()}
    module: Any = SimpleNamespace(
        params={"loader": "grub", "settings": str(tmp_path / "grub"), **params},
        get_bin_path=lambda name, **_: name,
        run_command=lambda *_, **__: (0, "", ""),
    )
    loader = loaders.loader(module)
    assert loader.trial_problem.startswith(f"{boot} is in /etc/fstab and not mounted")
