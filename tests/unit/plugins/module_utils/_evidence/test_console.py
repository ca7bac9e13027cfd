# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A serial log of many boots: which part of it is the trial boot."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._evidence import console

NEW, OLD = "6.12.117-49-usac1", "6.1.0-44-amd64"


def kernel(release: str, *lines: str) -> str:
    first = f"[    0.000000] Linux version {release} (x@y) (gcc 12.2) #1 SMP"
    return "\r\n".join([first, *(f"[    1.000000] {one}" for one in lines)]) + "\r\n"


GRUB_OLD = "\x1b[H\x1b[J  Booting `Debian GNU/Linux'\r\n\r\nLoading Linux 6.1.0-44-amd64 ...\r\n"
# Its menu goes over the screen by moving the cursor.
MENU = "\x1b[7;3H*Trial of Linux 6.8.0-49-usac1  \x1b[7;78H executed in 0s. \x1b[?25h\x1b[H\x1b[J"
GRUB_NEW = (
    f"SeaBIOS (version 1.16.2)\r\n\r\n{MENU}\x1b[1;1H  Booting `Trial of Linux {NEW}'\r\n\r\n"
)
BEFORE = GRUB_OLD + kernel(OLD, "reboot: Restarting system")
AFTER = "SeaBIOS (version 1.16.2)\r\n" + GRUB_OLD + kernel(OLD, "EXT4-fs (vda1): mounted")


def test_the_last_trial_boot() -> None:
    first = GRUB_NEW + kernel(NEW, "Kernel panic - not syncing: first")
    second = GRUB_NEW + kernel(NEW, "Kernel panic - not syncing: second")
    found = console.trial(BEFORE + first + AFTER + second + AFTER, NEW)
    assert (found.started, found.console) == (True, True)
    assert "Trial of Linux" in found.lines[0]
    assert found.lines[-1] == "Kernel panic - not syncing: second"


def test_a_loader_that_started_nothing() -> None:
    error = "error: file `/boot/initrd.img-6.12' not found.\r\n"
    found = console.trial(BEFORE + GRUB_NEW + error + AFTER, NEW)
    assert (found.started, found.console) == (False, True)
    assert found.lines[-1] == error.strip()


def test_a_kernel_that_prints_elsewhere() -> None:
    found = console.trial(GRUB_OLD + GRUB_NEW + GRUB_OLD, NEW)
    assert (found.started, found.console) == (False, False)
    assert len(found.lines) == 1


def test_a_loader_that_prints_nothing() -> None:
    found = console.trial(kernel(OLD) + kernel(NEW, "BUG: x") + kernel(OLD, "fine"), NEW)
    assert found.started
    assert found.lines[1:] == ["BUG: x"]


def test_a_log_without_a_trial_boot() -> None:
    assert console.trial(BEFORE, NEW) == ([], False, True)
    assert console.trial("", NEW) == ([], False, False)


def test_of_a_log_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "serial.log"
    path.write_text("x" * (5 << 20) + "\n" + GRUB_NEW + kernel(NEW, "BUG: y"))
    assert console.read(path, NEW).lines[-1] == "BUG: y"
