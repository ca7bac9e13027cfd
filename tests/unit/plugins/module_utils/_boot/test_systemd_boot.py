# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd-boot is asked for, and what is refused; its firmware is files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import mounts, systemd_boot
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    LoaderError,
    Plan,
    Request,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.systemd_boot import (
    SystemdBoot,
    find_boot,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OLD, NEW = "6.1.0-56-amd64", "6.12.117-49-usac1"
VARIABLES = {"set-default": "LoaderEntryDefault", "set-oneshot": "LoaderEntryOneShot"}
TRIAL = "oslab-trial+1.conf"


class Host:
    """An ESP, a firmware, and bootctl."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.boot = root / "efi"
        self.entries = self.boot / "loader/entries"
        self.firmware = root / "efivars"
        self.commands: list[list[str]] = []
        self.forgetful = False
        self.running = ""
        self.esp = ""
        self.entries.mkdir(parents=True)
        self.firmware.mkdir()
        (root / "etc").mkdir()
        (root / "etc/machine-id").write_text(f"{MACHINE}\n")
        self.set("LoaderInfo", "systemd-boot 252.39".encode("utf-16-le"))
        self.set("LoaderFeatures", (0x7FF).to_bytes(8, "little"))
        self.kernel(OLD)
        self.kernel(NEW)

    def set(self, name: str, content: bytes) -> None:
        (self.firmware / f"{name}-{VENDOR}").write_bytes(b"\7\0\0\0" + content)

    def get(self, name: str) -> str:
        path = self.firmware / f"{name}-{VENDOR}"
        content = path.read_bytes()[4:] if path.exists() else b""
        return content.decode("utf-16-le").rstrip("\0")

    def kernel(self, release: str, counters: str = "") -> Path:
        place = f"{MACHINE}/{release}"
        (self.boot / place).mkdir(parents=True, exist_ok=True)
        for name in ("linux", f"initrd.img-{release}"):
            (self.boot / place / name).write_text("x")
        (self.root / "boot").mkdir(exist_ok=True)
        (self.root / "boot" / f"vmlinuz-{release}").write_text("x")
        modules = self.root / "lib/modules" / release
        modules.mkdir(parents=True, exist_ok=True)
        (modules / "modules.dep").write_text("kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz\n")
        (modules / "modules.builtin").write_text("kernel/fs/efivarfs/efivarfs.ko\n")
        entry = self.entries / f"{MACHINE}-{release}{counters}.conf"
        entry.write_text(
            f"title Debian\nversion {release}\nmachine-id {MACHINE}\nsort-key debian\n"
            f"options root=UUID=0f1e ro\nlinux /{place}/linux\n"
            f"initrd /{place}/initrd.img-{release}\n"
        )
        return entry

    def booted(self, release: str, name: str) -> None:
        self.running = release
        self.set("LoaderEntrySelected", f"{name}\0".encode("utf-16-le"))

    def run(self, command: Sequence[str]) -> Result:
        self.commands.append([*command])
        if command[1] == "--print-boot-path":
            return Result(0, f"{self.boot}\n")
        if command[1] == "--print-esp-path":
            return Result(0, f"{self.esp}\n") if self.esp else Result(1, "", "not found")
        variable = VARIABLES[command[1]]
        if not self.forgetful:
            path = self.firmware / f"{variable}-{VENDOR}"
            path.unlink(missing_ok=True)
            if command[2]:
                self.set(variable, f"{command[2]}\0".encode("utf-16-le"))
        return Result(0)

    def loader(self) -> SystemdBoot:
        return SystemdBoot(self.run, "", self.firmware, self.root, self.running)

    def ask(self, state: str, release: str = "", *arguments: str, **more: Any) -> Plan:
        request = Request(state, release, arguments, flush=False, **more)
        plan = self.loader().plan(request)
        for step in plan.steps:
            step()
        return plan

    def choices(self) -> tuple[str, str]:
        return self.get("LoaderEntryDefault"), self.get("LoaderEntryOneShot")

    def names(self) -> list[str]:
        return sorted(file.name for file in self.entries.iterdir())


OLD_NAME, NEW_NAME = f"{MACHINE}-{OLD}.conf", f"{MACHINE}-{NEW}.conf"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def refused(host: Host, match: str, state: str, release: str = NEW) -> None:
    before = (host.choices(), host.names())
    with pytest.raises(LoaderError, match=match):
        host.ask(state, release, "panic=10")
    assert (host.choices(), host.names()) == before


def test_a_look_changes_nothing(host: Host) -> None:
    plan = host.ask("present", NEW)
    assert (plan.steps, plan.entry, plan.options) == ([], NEW_NAME, "root=UUID=0f1e ro")
    loader = host.loader()
    assert loader.releases() == [NEW, OLD]
    assert (loader.honours_default, loader.trial_problem) == (True, "")
    assert host.ask("present").entry == ""


def test_a_trial_and_its_end(host: Host) -> None:
    host.ask("default", OLD)
    assert host.choices() == (OLD_NAME, "")
    assert host.loader().release_of(OLD_NAME) == OLD
    assert host.ask("once", NEW, "panic=10").after.next_entry == TRIAL
    assert host.choices() == (OLD_NAME, TRIAL)
    text = (host.entries / TRIAL).read_text()
    assert "options root=UUID=0f1e ro panic=10 systemd.mask=systemd-bless-boot.service\n" in text
    assert host.ask("once", NEW, "panic=10").steps == []
    # The loader has taken both away as it started it.
    (host.entries / TRIAL).rename(host.entries / "oslab-trial+0-1.conf")
    host.run(["bootctl", "set-oneshot", ""])
    assert host.loader().releases() == [NEW, OLD]
    host.ask("default", NEW)
    assert host.choices() == (NEW_NAME, "")
    assert host.names() == sorted([OLD_NAME, NEW_NAME])
    assert host.ask("default", NEW).steps == []


@pytest.mark.parametrize(
    "entry",
    [
        *("mine.conf", "MINE.conf", "min*.conf", f"{MACHINE}-{NEW}.conf", ""),
        *("auto-windows", "@saved", "image.efi"),
    ],
)
def test_the_default_of_before(host: Host, entry: str) -> None:
    (host.entries / "mine.conf").write_text("title Mine\nlinux /mine\n")
    (host.boot / "EFI/Linux").mkdir(parents=True)
    (host.boot / "EFI/Linux/image.efi").write_text("x")
    host.ask("default", OLD)
    host.ask("once", NEW, "panic=10")
    host.ask("restored", entry=entry)
    assert host.choices() == (entry, "")
    assert TRIAL not in host.names()
    assert host.ask("restored", entry=entry).steps == []


def test_a_default_of_before_that_is_gone(host: Host) -> None:
    host.ask("default", OLD)
    assert host.ask("restored", entry="gone.conf").after.default_entry == OLD_NAME
    assert host.choices() == (OLD_NAME, "")
    (host.entries / OLD_NAME).unlink()
    host.ask("restored", entry="gone.conf")
    assert host.choices() == ("", "")


def test_other_arguments_make_another_trial(host: Host) -> None:
    host.ask("default", OLD)
    host.ask("once", NEW, "panic=10")
    (host.entries / TRIAL).rename(host.entries / "oslab-trial+0-1.conf")
    assert host.ask("once", NEW, "panic=20").steps
    assert host.names() == sorted([OLD_NAME, NEW_NAME, TRIAL])
    assert "panic=20" in (host.entries / TRIAL).read_text()


def test_a_trial_is_taken_back(host: Host) -> None:
    host.ask("default", OLD)
    host.ask("once", NEW)
    host.ask("cancelled")
    assert (host.choices(), host.names()) == ((OLD_NAME, ""), sorted([OLD_NAME, NEW_NAME]))
    assert host.ask("cancelled").steps == []
    host.ask("once", NEW)
    host.ask("unset")
    assert (host.choices(), host.names()) == (("", ""), sorted([OLD_NAME, NEW_NAME]))
    assert host.ask("unset").steps == []


def test_a_trial_that_waits_does_not_outlive_a_new_default(host: Host) -> None:
    host.ask("default", OLD)
    host.ask("once", NEW)
    host.ask("default", NEW)
    assert (host.choices(), host.names()) == ((NEW_NAME, ""), sorted([OLD_NAME, NEW_NAME]))


def test_a_default_that_is_one_already_leaves_a_trial_that_waits(host: Host) -> None:
    host.ask("default", OLD)
    host.ask("once", NEW)
    assert host.ask("default", OLD).steps == []
    assert host.choices() == (OLD_NAME, TRIAL)
    # One that was over is cleared away.
    host.run(["bootctl", "set-oneshot", ""])
    host.ask("default", OLD)
    assert host.names() == sorted([OLD_NAME, NEW_NAME])


def test_an_entry_that_is_counted_is_called_good_as_it_becomes_the_default(host: Host) -> None:
    (host.entries / NEW_NAME).unlink()
    host.kernel(NEW, "+2-1")
    host.ask("default", OLD)
    host.ask("once", NEW)
    assert f"{MACHINE}-{NEW}+2-1.conf" in host.names()
    host.ask("default", NEW)
    assert host.names() == sorted([OLD_NAME, NEW_NAME])
    assert host.get("LoaderEntryDefault") == NEW_NAME


def test_check_mode_predicts_an_entry_that_is_not_there_yet(host: Host) -> None:
    request = Request("once", "9.9", ["panic=10"], predict=True)
    plan = host.loader().plan(request)
    assert (bool(plan.steps), plan.entry, plan.after.next_entry) == (True, "", TRIAL)
    assert host.loader().plan(Request("default", "9.9", predict=True)).steps
    assert (host.choices(), host.names()) == (("", ""), sorted([OLD_NAME, NEW_NAME]))


def test_a_release_without_an_entry_is_reported(host: Host) -> None:
    refused(host, f"no entry for kernel 9.9; it has entries for: {NEW}, {OLD}", "once", "9.9")
    refused(host, "kernel-install add 9.9 /boot/vmlinuz-9.9", "default", "9.9")


def test_no_trial_boot_without_a_fallback_kernel(host: Host) -> None:
    refused(host, "The default, none, is no entry that boots", "once")
    host.run(["bootctl", "set-default", f"{MACHINE}-*"])
    refused(host, "would have no fallback kernel", "once")
    host.ask("default", OLD)
    (host.boot / MACHINE / OLD / "linux").unlink()
    refused(host, "is no entry that boots", "once")


def test_no_kernel_whose_files_did_not_get_to_the_esp(host: Host) -> None:
    host.ask("default", OLD)
    (host.boot / MACHINE / NEW / f"initrd.img-{NEW}").write_text("")
    refused(host, "which is not there or empty", "once")
    refused(host, "which is not there or empty", "default")


def test_no_kernel_that_is_not_whole_in_the_esp(host: Host) -> None:
    host.ask("default", OLD)
    original = host.root / "boot" / f"vmlinuz-{NEW}"
    original.write_text("xyz")
    refused(host, "is not what .*/vmlinuz-.* is: copying it was cut short", "once")
    # Without a copy there is nothing to compare. The default was confirmed, so it is accepted.
    assert host.ask("default", NEW).entry == NEW_NAME
    original.unlink()
    host.ask("default", OLD)
    assert host.ask("once", NEW).after.next_entry == TRIAL


@pytest.mark.parametrize("name", ["modules.dep", "modules.builtin"])
def test_no_kernel_that_could_not_choose_another(host: Host, name: str) -> None:
    host.ask("default", OLD)
    (host.root / "lib/modules" / NEW / name).write_text("")
    refused(host, "has no (vfat|efivarfs): with it", "once")


def test_a_loader_that_cannot(host: Host) -> None:
    host.ask("default", OLD)
    # It takes a default, and a choice for one boot, but does not count.
    host.set("LoaderFeatures", (0xF).to_bytes(8, "little"))
    refused(host, "does not count", "once")
    host.set("LoaderFeatures", b"\0" * 8)
    refused(host, "takes no default", "default")


def test_what_cannot_be_written(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.ask("default", OLD)
    reason = "/sys/firmware/efi/efivars is mounted read-only"
    monkeypatch.setattr(systemd_boot, "read_only_reason", lambda directories: reason)
    assert reason in host.loader().trial_problem
    refused(host, "mounted read-only. Mount it", "once")
    refused(host, "mounted read-only. Mount it", "default")


def test_a_mount_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert systemd_boot.read_only_reason([tmp_path]) == ""

    class Stats:
        f_flag = 1

    monkeypatch.setattr(mounts.os, "statvfs", lambda path: Stats)
    assert systemd_boot.read_only_reason([tmp_path]) == f"{tmp_path} is mounted read-only"


def test_a_firmware_that_does_not_keep_it(host: Host) -> None:
    host.forgetful = True
    with pytest.raises(LoaderError, match=r"did not keep '.*' in LoaderEntryDefault"):
        host.ask("default", OLD)


def test_no_variables_and_no_esp(host: Host) -> None:
    def lost(_command: Sequence[str]) -> Result:
        return Result(1, "", "Couldn't find EFI system partition.\n")

    with pytest.raises(
        LoaderError, match=r"not mounted: Couldn't find EFI system partition[.] Mount"
    ):
        find_boot(lost)
    (host.firmware / f"LoaderInfo-{VENDOR}").unlink()
    with pytest.raises(LoaderError, match="efivarfs is not mounted there"):
        host.loader()


def test_an_esp_without_entries(host: Host) -> None:
    for entry in host.entries.iterdir():
        entry.unlink()
    host.entries.rmdir()
    assert host.loader().releases() == []


def test_the_same_start_by_kexec(host: Host) -> None:
    image = host.loader().image(NEW, ["panic=10"])
    place = host.boot / MACHINE / NEW
    assert (image.kernel, image.initrd) == (place / "linux", place / f"initrd.img-{NEW}")
    assert image.arguments == ("root=UUID=0f1e", "ro", "panic=10")
    entry = host.entries / NEW_NAME
    entry.write_text(entry.read_text() + "initrd /microcode\n")
    with pytest.raises(KexecError, match="2 initrds"):
        host.loader().image(NEW, [])


OWN = f"title Mine\nlinux /{MACHINE}/{OLD}/linux\noptions root=UUID=0f1e ro isolcpus=2\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{OWN}version {OLD}\nmachine-id {MACHINE}\n",
        OWN,
        OWN.replace(f"/{MACHINE}/{OLD}/linux", f"/vmlinuz-{OLD}"),
    ],
)
def test_the_entry_that_was_booted_becomes_the_default(host: Host, text: str) -> None:
    (host.entries / "mine.conf").write_text(text)
    (host.boot / f"vmlinuz-{OLD}").write_text("x")
    host.booted(OLD, "Mine.conf")
    assert host.ask("default", OLD).entry == "mine.conf"
    assert host.choices() == ("mine.conf", "")
    host.ask("once", NEW, "panic=10")
    assert host.choices() == ("mine.conf", TRIAL)
    # Another kernel's has its usual entry.
    host.ask("default", NEW)
    assert host.choices() == (NEW_NAME, "")


def test_a_kernel_with_an_entry_of_its_own_alone(host: Host) -> None:
    (host.entries / OLD_NAME).unlink()
    assert host.loader().releases() == [NEW]
    (host.entries / "mine.conf").write_text(OWN)
    host.booted(OLD, "mine.conf")
    assert host.loader().releases() == [NEW, OLD]
    assert host.ask("default", OLD).after.default_entry == "mine.conf"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gone.conf", ""),
        # By kexec since then, or a link that leads to whichever is newest.
        ("mine.conf", f"title Mine\nversion {NEW}\nlinux /x\n"),
        ("mine.conf", "title Mine\nlinux /vmlinuz\n"),
        ("mine.conf", f"title Mine\nversion {OLD}\nefi /shell.efi\n"),
        ("oslab-trial+0-1.conf", f"title Trial\nversion {OLD}\nlinux /{MACHINE}/{OLD}/linux\n"),
    ],
)
def test_else_the_usual_entry_becomes_it(host: Host, name: str, text: str) -> None:
    if text:
        (host.entries / name).write_text(text)
    host.booted(OLD, name)
    assert host.ask("default", OLD).after.default_entry == OLD_NAME


def test_an_entry_that_is_counted_keeps_its_name_until_it_is_the_default(host: Host) -> None:
    (host.entries / OLD_NAME).unlink()
    host.kernel(OLD, "+2-1")
    # The loader calls it without its counters.
    host.booted(OLD, OLD_NAME)
    host.ask("default", OLD)
    assert host.choices() == (OLD_NAME, "")
    assert OLD_NAME in host.names()


@pytest.mark.parametrize(
    ("oneshot", "firmware", "config", "where"),
    [
        (
            "",
            "",
            "timeout menu-force\n",
            "loader/loader.conf is, or has, the timeout menu-force. Write",
        ),
        ("", "", "#timeout 3\n\ttimeout\tmenu-force\r\n", "loader.conf"),
        ("", "", "timeout 3\ntimeout menu-force\n", "loader.conf"),
        ("", "menu-force", "timeout 3\n", "Run `bootctl set-timeout 3`."),
        ("menu-force", "3", "timeout 3\n", "Run `bootctl set-timeout-oneshot 3`."),
        ("", "", "timeout menu-force\ntimeout 3\n", ""),
        ("", "", "#timeout menu-force\n", ""),
        ("", "", "timeout menu-hidden\n", ""),
        ("", "", "", ""),
        ("", "0", "timeout menu-force\n", ""),
        # The boot after that one waits.
        ("3", "menu-force", "timeout 3\n", "Run `bootctl set-timeout 3`."),
        ("3", "", "timeout menu-force\n", "loader.conf"),
        ("", "nonsense", "timeout menu-force\n", "loader.conf"),
    ],
)
def test_a_menu_that_waits_for_ever(
    host: Host, oneshot: str, firmware: str, config: str, where: str
) -> None:
    host.ask("default", OLD)
    (host.boot / "loader/loader.conf").write_text(config)
    for name, value in (("TimeoutOneShot", oneshot), ("Timeout", firmware)):
        if value:
            host.set(f"LoaderConfig{name}", f"{value}\0".encode("utf-16-le"))
    found = {host.loader().trial_problem, host.loader().entry_problem(NEW)}
    assert len(found) == 1
    problem = found.pop()
    assert bool(problem) == bool(where)
    assert where in problem
    if not where:
        host.ask("once", NEW, "panic=10")
        return
    for state in ("once", "default"):
        refused(host, "waits in its menu for a key, for ever", state)


def test_a_configuration_in_the_esp(host: Host) -> None:
    """The kernels are in another partition (XBOOTLDR)."""
    assert host.loader().trial_problem == ""
    (host.root / "esp/loader").mkdir(parents=True)
    (host.root / "esp/loader/loader.conf").write_text("timeout menu-force\n")
    host.esp = str(host.root / "esp")
    assert "esp/loader/loader.conf is, or has, the timeout" in host.loader().trial_problem


def test_a_configuration_that_cannot_be_read(host: Host) -> None:
    (host.boot / "loader/loader.conf").mkdir()
    with pytest.raises(LoaderError, match=r"loader\.conf cannot be read"):
        host.ask("default", NEW)
