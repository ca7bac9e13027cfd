# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel is loaded once, and again when it is another one."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
from ansible_collections.oslab.kernel.plugins.modules import kexec_load


class Host:
    """The kernel's switch, the files of a kernel, and kexec."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arguments: list[str] = ["a=b"]
        self.status = 0
        self.loads: list[list[str]] = []
        self.kernel, self.initrd = directory / "vmlinuz", directory / "initrd.img"
        self.switch, self.record = directory / "kexec_loaded", directory / "record"
        for path in (self.kernel, self.initrd):
            path.write_text("x")
        self.switch.write_text("0\n")
        monkeypatch.setattr(kexec_load, "LOADED", self.switch)
        monkeypatch.setattr(kexec_load, "RECORD", self.record)
        monkeypatch.setattr(kexec_load.loaders, "loader", lambda _module: self)

    def image(self, _release: str, arguments: list[str]) -> Image:
        if not arguments:
            raise KexecError("its entry has 2 initrds")
        return Image(self.kernel, self.initrd, tuple(arguments))

    def run(self, argv: list[str], **_options: Any) -> tuple[int, str, str]:
        self.loads.append(argv)
        if self.status == 0:
            self.switch.write_text("0\n" if "--unload" in argv else "1\n")
        return self.status, "", "no memory" if self.status else ""

    @property
    def module(self) -> Any:
        return SimpleNamespace(
            params={"release": "6.8", "arguments": self.arguments},
            check_mode=False,
            get_bin_path=lambda name, **_options: f"/sbin/{name}",
            run_command=self.run,
        )


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_a_kernel_that_is_loaded_stays(host: Host) -> None:
    assert kexec_load.load(host.module) == (True, "")
    assert kexec_load.load(host.module) == (False, "")
    assert len(host.loads) == 1
    assert host.record.stat().st_mode & 0o777 == 0o600


def test_another_one_is_loaded(host: Host) -> None:
    kexec_load.load(host.module)
    host.arguments = ["a=c"]
    assert kexec_load.load(host.module) == (True, "")
    # The same release, built and installed again.
    os.utime(host.initrd, (1, 1))
    assert kexec_load.load(host.module) == (True, "")
    # After a boot, of which the record has not been cleared.
    host.switch.write_text("0\n")
    assert kexec_load.load(host.module) == (True, "")
    assert len(host.loads) == 4


def test_what_was_not_loaded_is_not_taken_for_loaded(host: Host) -> None:
    kexec_load.load(host.module)
    host.arguments, host.status = ["a=c"], 1
    assert kexec_load.load(host.module) == (False, "kexec ended with 1: no memory")
    host.arguments, host.status = ["a=b"], 0
    assert kexec_load.load(host.module) == (True, "")
    host.arguments = []
    assert kexec_load.load(host.module) == (False, "its entry has 2 initrds")


def test_it_is_unloaded(host: Host) -> None:
    assert not kexec_load.unload(host.module)
    kexec_load.load(host.module)
    assert kexec_load.unload(host.module)
    assert not host.record.exists()
    assert not kexec_load.unload(host.module)


def test_what_somebody_else_has_loaded_stays(host: Host) -> None:
    host.switch.write_text("1\n")
    assert not kexec_load.unload(host.module)
    assert host.switch.read_text() == "1\n"


def test_a_load_that_is_cut_short_is_unloaded(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(argv: object) -> None:
        host.switch.write_text("1\n")
        raise KeyboardInterrupt

    monkeypatch.setattr(kexec_load, "module_runner", lambda module: load)
    with pytest.raises(KeyboardInterrupt):
        kexec_load.load(host.module)
    assert kexec_load.recorded() == ""
    assert kexec_load.unload(host.module)
