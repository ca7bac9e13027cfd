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
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    Choice,
    LoaderError,
    Plan,
    Request,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

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


@pytest.mark.parametrize(
    ("honours", "steps", "starts"),
    [(True, [], True), (True, [print], False), (False, [], False)],
)
def test_a_kernel_starts_by_default_where_nothing_is_left_to_be_done(
    monkeypatch: pytest.MonkeyPatch, honours: bool, steps: list[Any], starts: bool
) -> None:
    asked: list[Request] = []

    def plan(request: Request) -> Plan:
        asked.append(request)
        return Plan(Choice(), Choice(), "entry", "", steps)

    def found(options: Any, _run: Any) -> Any:
        assert set(options) == set(loaders.argument_spec())
        assert options["loader"] == "auto"
        return SimpleNamespace(honours_default=honours, plan=plan)

    monkeypatch.setattr(loaders, "from_options", found)
    assert loaders.starts_by_default("6.12", lambda _argv: Result(0)) is starts
    assert asked == ([Request("default", "6.12")] if honours else [])


def test_a_kernel_that_the_loader_cannot_start_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_request: Request) -> Plan:
        raise LoaderError("no entry")

    loader = SimpleNamespace(honours_default=True, plan=refuse)
    monkeypatch.setattr(loaders, "from_options", lambda *_: loader)
    assert not loaders.starts_by_default("6.12", lambda _argv: Result(0))
