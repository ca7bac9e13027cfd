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
    assert console.trial(BEFORE, NEW)[:3] == ([], False, True)
    assert console.trial("", NEW)[:3] == ([], False, False)
    longer = kernel(f"{NEW}0", "BUG: x").replace("Linux version", "  Booting `Trial of Linux", 1)
    assert console.trial(longer, NEW)[:2] == ([], False)


OLDER = GRUB_NEW + kernel(NEW, "Kernel panic - not syncing: last week") + AFTER


def test_what_was_there_before_the_reboot_is_not_of_the_trial_boot(tmp_path: Path) -> None:
    path = tmp_path / "serial.log"
    path.write_bytes(OLDER.encode())
    offset = path.stat().st_size
    assert console.read(path, NEW).lines[-1].endswith("last week")
    assert console.read(path, NEW, offset).lines == []
    with path.open("a", newline="") as stream:
        stream.write(kernel(NEW, "BUG: today") + AFTER)
    assert console.read(path, NEW, offset).lines[-1] == "BUG: today"
    # It was begun anew since.
    assert console.read(path, NEW, 10 * offset).lines[-1] == "BUG: today"


def test_a_later_boot_by_kexec_counts() -> None:
    later = kernel(OLD, "kexec_core: Starting new kernel") + kernel(NEW, "BUG: today") + AFTER
    assert console.trial(OLDER + later, NEW).lines[-1] == "BUG: today"


def test_after_the_reboot_the_first_one_counts(tmp_path: Path) -> None:
    """The kernel may have been started again before the fallback kernel."""
    path = tmp_path / "serial.log"
    crash = kernel(
        NEW, "Command line: quiet elfcorehdr=0x1 x", "Out of memory: Killed makedumpfile"
    )
    first = kernel(NEW, "BUG: first")
    path.write_text(GRUB_NEW + first + crash + kernel(NEW, "BUG: second") + AFTER, newline="")
    found = console.read(path, NEW, 0).lines
    assert "BUG: first" in found
    assert "BUG: second" not in found


def test_the_kernel_of_kdump_is_not_the_trial_boot() -> None:
    crash = kernel(
        NEW, "Command line: quiet elfcorehdr=0x1 x", "Out of memory: Killed makedumpfile"
    )
    found = console.trial(kernel(NEW, "Kernel panic - not syncing: x") + crash, NEW)
    assert found.lines[1] == "Kernel panic - not syncing: x"


def test_a_kernel_that_is_quiet(tmp_path: Path) -> None:
    """Neither GRUB nor the kernel names it, and what it says in the end is there."""
    path = tmp_path / "serial.log"
    reboot = "[  99.000000] reboot: Restarting system\r\n"
    said = "[    8.123456][  T312] Kernel panic - not syncing: x\r\n"
    path.write_text(f"{reboot}SeaBIOS (version 1)\r\nvm login: {said}{AFTER}", newline="")
    found = console.read(path, NEW, 0)
    assert found.lines[-1] == "Kernel panic - not syncing: x"
    assert not any("Restarting" in line or "mounted" in line for line in found.lines)
    # Without a firmware that prints.
    path.write_text(f"{reboot}{said}{kernel(OLD, 'fine')}", newline="")
    assert console.read(path, NEW, 0).lines[-1] == "Kernel panic - not syncing: x"


def test_the_last_line_for_a_message_is_the_kernels() -> None:
    said = kernel(NEW, "virtio: x") + "ubuntu:s3cr3tPW\r\n"
    found = console.trial(said, NEW)
    assert (found.lines[-1], found.last) == ("ubuntu:s3cr3tPW", "virtio: x")


def test_of_a_log_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "serial.log"
    path.write_text("x" * (5 << 20) + "\n" + GRUB_NEW + kernel(NEW, "BUG: y"))
    assert console.read(path, NEW).lines[-1] == "BUG: y"
