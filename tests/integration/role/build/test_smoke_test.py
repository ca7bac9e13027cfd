# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The build is booted once before it is published. A program in place of QEMU prints what we like.

With a real kernel and QEMU: `make quickstart` builds one, and its builder boots it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import record, steps
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import NEEDED
from ansible_collections.oslab.kernel.tests.lib import smoke_line

RELEASE = "6.12.0-49-usac1"
MANIFEST = {"release": RELEASE, "sysname": "Usac Linux", "banner": "hi", "syscalls": {"a": 463}}
PLANNED = steps.plan(
    smoke_line.contents(manifest=MANIFEST, modules={"hello_mod": b""}, programs={})
)
SHOWN, HI = {"sysname": "Usac Linux", "release": RELEASE}, {"sysname": ["hi"]}
GOOD = smoke_line.line(PLANNED, SHOWN, kernel=HI)
PANIC = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"
QEMU = "qemu-system-x86_64"


class Guest:
    """What is started in place of QEMU."""

    def __init__(self, directory: Path) -> None:
        self.serial = directory / "serial"
        self.started = directory / "started"
        self.program = directory / QEMU
        directory.mkdir()
        self.program.write_text(
            f'#!/bin/sh\necho "$@" >> {shlex.quote(str(self.started))}\n'
            f"cat {shlex.quote(str(self.serial))}\n"
        )
        self.program.chmod(0o755)
        self.prints(GOOD)

    def prints(self, serial: str) -> None:
        self.serial.write_text(serial)
        self.started.write_text("")

    @property
    def boots(self) -> int:
        """How often it was booted; the proof of KVM does not count."""
        return self.started.read_text().count("printk.devkmsg=on")


@pytest.fixture
def bootable(role):
    """A tree whose configuration has what the test needs."""
    symbols = [name for name in NEEDED if name not in ("X86_64", "PROC_FS")]
    with (role.tree / "drivers/Kconfig").open("a") as kconfig:
        kconfig.writelines(f'\nconfig {name}\n\tbool "{name}"\n\tdefault y\n' for name in symbols)
    subprocess.run(["make", "-s", "defconfig"], cwd=role.tree, check=True)
    return role


@pytest.fixture
def guest(tmp_path, monkeypatch):
    made = Guest(tmp_path / "qemu")
    monkeypatch.setenv("PATH", f"{made.program.parent}:{os.environ['PATH']}")
    return made


@pytest.fixture
def no_qemu(tmp_path, monkeypatch):
    """All programs of this machine but QEMU."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for path in Path(directory).glob("*"):
            if path.name != QEMU and not os.path.lexists(programs / path.name):
                (programs / path.name).symlink_to(path)
    monkeypatch.setenv("PATH", str(programs))


def test_a_build_is_booted_once(bootable, guest):
    assert bootable.run(build_smoke_test=False).status == 0
    assert bootable.result["smoke_test"]["reason"] == "build_smoke_test is false"
    checked = bootable.run("--check", build_smoke_test=True)
    assert (checked.status, checked.recap("changed")) == (0, 1), checked.output
    assert f"would boot Linux {RELEASE}" in checked.output
    assert guest.boots == 0
    run = bootable.run()
    assert run.status == 0, run.output
    passed = {
        "result": "passed",
        "reason": "",
        "accelerator": bootable.result["smoke_test"]["accelerator"],
    }
    assert bootable.result["smoke_test"] == passed
    directory = Path(bootable.result["store"])
    assert json.loads((directory / record.NAME).read_text()) == passed
    assert "smoke_test" not in json.loads((directory / "build.json").read_text())
    assert "oslab-smoke: done" in (directory / record.LOG).read_text()
    assert guest.boots == 1

    # It has passed, so it is not asked again, whatever it would print now.
    guest.prints(smoke_line.messages(PANIC))
    for options in ([], ["--check"]):
        again = bootable.run(*options, build_smoke_test=True)
        assert (again.status, again.recap("changed")) == (0, 0), again.output
        assert bootable.result["smoke_test"] == passed
    assert guest.boots == 0


@pytest.mark.parametrize(
    ("serial", "reason"),
    [
        (smoke_line.messages(PANIC), f"the kernel does not reach its first program: {PANIC}"),
        (
            smoke_line.line(PLANNED, {**SHOWN, "a": "-1 38"}, kernel=HI),
            "calling the syscall a (number 463) fails: there is no such syscall (ENOSYS)",
        ),
        (
            smoke_line.line(PLANNED, SHOWN, {"module hello_mod": "exit 1"}, HI),
            "loading the module hello_mod fails: status 1",
        ),
    ],
)
def test_a_build_that_fails_is_not_handed_on(bootable, guest, serial, reason):
    guest.prints(serial)
    metrics = bootable.directory / "metrics"
    run = bootable.run(build_metrics_dir=str(metrics))
    assert run.status != 0
    assert "oslab_kernel_build_success 0\n" in (metrics / "oslab-kernel-build.prom").read_text()
    assert "fails its smoke test, so it is not published" in run.output
    assert reason in run.output
    # What comes after it, as the role publish, has no build.
    assert not (bootable.directory / "result.json").exists()
    (build,) = bootable.builds()
    kept = json.loads((bootable.store / build / record.NAME).read_text())
    assert (kept["result"], kept["reason"]) == ("failed", reason)

    # The user may take it all the same; the result is shown.
    run = bootable.run(build_smoke_test=False)
    assert (run.status, run.recap("changed")) == (0, 0), run.output
    assert bootable.result["smoke_test"]["result"] == "failed"
    run = bootable.run(build_smoke_test=False, build_metrics_dir=str(metrics))
    assert run.status == 0, run.output
    assert "oslab_kernel_build_success 1\n" in (metrics / "oslab-kernel-build.prom").read_text()

    # It is tested again without being compiled again.
    guest.prints(GOOD)
    run = bootable.run()
    assert run.status == 0, run.output
    assert bootable.result["smoke_test"]["result"] == "passed"
    assert bootable.result["compiled"] is False


def test_a_complaint_may_be_allowed(bootable, guest):
    warn = "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
    guest.prints(smoke_line.line(PLANNED, SHOWN, kernel={**HI, "a": [warn]}))
    run = bootable.run()
    assert run.status != 0
    assert f"while calling the syscall a (number 463): {warn}" in run.output
    allowed = [{"pattern": "lib/refcount", "reason": "known"}]
    run = bootable.run(build_smoke_test_allowed=allowed)
    assert run.status == 0, run.output
    assert bootable.result["smoke_test"]["result"] == "passed"


def test_without_qemu_it_is_skipped_by_name_or_refused_before_the_build(bootable, no_qemu):
    run = bootable.run(build_smoke_test=True)
    assert run.status != 0
    assert "build_smoke_test is true, but a build cannot be booted" in run.output
    assert "is not installed on the builder (package qemu-system-x86)" in run.output
    assert bootable.builds() == []

    for _first_and_again in range(2):
        run = bootable.run()
        assert run.status == 0, run.output
        assert f"no smoke test: {QEMU} is not installed on the builder" in run.output
        skipped = bootable.result["smoke_test"]
        assert skipped["result"] == "skipped"
        assert QEMU in skipped["reason"]
    assert run.recap("changed") == 0
    (build,) = bootable.builds()
    assert json.loads((bootable.store / build / record.NAME).read_text()) == skipped


def test_without_a_serial_console_it_is_skipped_or_fails(role, guest):
    run = role.run()
    assert run.status == 0, run.output
    assert "configuration has no CONFIG_SERIAL_8250_CONSOLE" in run.output, run.output
    assert role.result["smoke_test"]["result"] == "skipped"
    run = role.run(build_smoke_test=True)
    assert run.status != 0
    assert "CONFIG_SERIAL_8250_CONSOLE" in run.output
    assert guest.boots == 0
