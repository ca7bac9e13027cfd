# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import boot, console, steps
from ansible_collections.oslab.kernel.tests.lib import smoke_line

GOOD = smoke_line.line(steps.plan(smoke_line.contents()))


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemAvailable:    4000000 kB\n")
    return tmp_path


def without(*names: str) -> Any:
    return lambda name: None if name in names else f"/usr/bin/{name}"


def test_obstacles(host: Path) -> None:
    assert boot.obstacle(without(), host) == ""
    assert "package qemu-system-x86" in boot.obstacle(without(qemu.BINARY), host)
    assert "setpriv is not installed" in boot.obstacle(without("setpriv"), host)
    (host / "proc/meminfo").write_text("MemAvailable:    1000000 kB\n")
    assert "less than 1280 MiB of free memory" in boot.obstacle(without(), host)
    (host / "proc/meminfo").write_text("")
    assert boot.obstacle(without(), host) == ""


def run(
    monkeypatch: pytest.MonkeyPatch, work: Path, answer: qemu.Boot, kvm: bool = False
) -> tuple[boot.Tested, list[list[str]]]:
    """Where KVM can be opened; `kvm`: whether a guest comes up under it."""
    started: list[list[str]] = []

    def watch(argv: list[str], marker: str | None, _seconds: float) -> qemu.Boot:
        started.append(argv)
        if marker is None:
            return answer
        assert marker == console.MARKER
        return qemu.Boot(kvm, None, "", "")

    monkeypatch.setattr(qemu, "watch_boot", watch)
    monkeypatch.setattr(qemu.os, "access", lambda *_args: True)
    return boot.run(smoke_line.contents(), b"init", work), started


@pytest.mark.parametrize("kvm", [True, False])
def test_kvm_is_used_only_where_a_guest_comes_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kvm: bool
) -> None:
    tested, started = run(monkeypatch, tmp_path, qemu.Boot(False, 0, GOOD, ""), kvm)
    assert tested.problems == []
    assert tested.accelerator.name == ("kvm" if kvm else "tcg")
    proof, real = (" ".join(argv) for argv in started)
    assert "accel=kvm" in proof
    assert ("accel=kvm" in real) is kvm
    for argument in ("console=ttyS0", "panic=-1", "printk.devkmsg=on", "-m 1024", "-no-reboot"):
        assert argument in real
    # What a flood of messages takes before the line has it.
    assert "log_buf_len=16M" in real
    for nothing in ("-netdev", "-nic", "-drive"):
        assert nothing not in real


def test_a_fault_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serial = GOOD.replace("Run /init", "BUG: unable to handle page fault for address: 0 Run /init")
    tested, _started = run(monkeypatch, tmp_path, qemu.Boot(False, 0, serial, ""))
    assert tested.problems == [
        "the kernel reports: BUG: unable to handle page fault for address: 0 Run /init as init"
    ]
    assert tested.serial == serial


def test_a_machine_that_is_killed_says_nothing_of_the_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(boot.BootError, match="QEMU was ended by a signal: Killed"):
        run(monkeypatch, tmp_path, qemu.Boot(False, -9, "SeaBIOS\r\n", ""))


def test_a_kernel_that_prints_without_an_end_is_said_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flood = qemu.Boot(False, None, "Linux version 6.12\r\nx\r\n", "", flooded=True)
    [problem] = run(monkeypatch, tmp_path, flood)[0].problems
    assert "was ended as it prints without an end" in problem and "seconds" not in problem


def test_a_machine_that_does_not_start_says_nothing_of_the_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(boot.BootError, match="QEMU ended with status 1: no bios"):
        run(monkeypatch, tmp_path, qemu.Boot(False, 1, "", "no bios"))
