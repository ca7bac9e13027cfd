# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine booted the kernel that was built for it, by its own boot loader."""

from __future__ import annotations

import json
import re
from typing import Any

testinfra_hosts = ["ansible://kernel_targets"]


def test_release(host: Any, manifest: Any, setting: Any) -> None:
    release = host.check_output("uname -r")
    assert release == manifest["release"]
    assert release.startswith(manifest["source"]["version"])
    assert release.endswith(setting("version_extraversion"))


def test_sysname(host: Any, manifest: Any, setting: Any) -> None:
    assert host.check_output("uname -s") == setting("patch_sysname") == manifest["sysname"]


def test_boot_message_is_in_the_kernel_log_as_it_was_written(guest: Any, setting: Any) -> None:
    wanted = setting("patch_banner").rstrip("\n").split("\n")
    log = guest("kernel_log()")
    start = log.index(wanted[0])
    assert log[start : start + len(wanted)] == wanted


def test_boot_message_is_found_by_grep(host: Any, setting: Any) -> None:
    word = next(word for word in re.findall(r"[A-Za-z]{6,}", setting("patch_banner")))
    assert word in host.check_output("dmesg | grep -F %s", word)


def test_boot_loader_started_it(host: Any, manifest: Any) -> None:
    words = host.check_output("cat /proc/cmdline").split()
    # GRUB says what it loaded; a kernel that an emulator loads itself has no such word.
    assert f"BOOT_IMAGE=/boot/vmlinuz-{manifest['release']}" in words


def test_it_is_what_the_boot_loader_starts_next(host: Any, manifest: Any) -> None:
    environment = dict(
        line.split("=", 1) for line in host.check_output("grub-editenv list").splitlines()
    )
    assert manifest["release"] in environment["saved_entry"]
    assert not environment.get("next_entry")
    # The last part of the path of submenus is the entry itself: it has to exist.
    entry = environment["saved_entry"].split(">")[-1]
    assert f"'{entry}'" in host.check_output("cat /boot/grub/grub.cfg")


# By commands: testinfra's own files, services and packages ask for a system that is called Linux.
def test_the_trial_is_over(host: Any) -> None:
    assert host.run("test -e /boot/grub/custom.cfg").rc == 1
    assert json.loads(host.check_output("cat /var/lib/oslab-kernel/install.json"))["confirmed"]
    words = host.check_output("cat /proc/cmdline").split()
    # This boot was the trial boot: its rollback timer was installed, and then stopped.
    assert f"oslab.trial={host.check_output('uname -r')}" in words
    assert "panic=10" in words
    assert host.run("test -e /run/oslab-trial.confirmed").rc == 0


def test_the_rollback_timer_is_enabled_and_not_running(host: Any) -> None:
    assert host.check_output("systemctl is-enabled oslab-trial.timer") == "enabled"
    assert host.run("systemctl is-active oslab-trial.timer").stdout.strip() == "inactive"
    assert host.run("systemctl is-active oslab-trial.service").stdout.strip() == "inactive"
    assert host.check_output("stat -c %a /etc/oslab-kernel/trial-return") == "755"
    units = "oslab-trial.timer oslab-trial.service oslab-trial-settings.service"
    assert host.check_output(f"systemd-analyze verify {units}") == ""


def test_another_kernel_is_there_to_return_to(host: Any, manifest: Any) -> None:
    kernels = host.check_output("ls /boot/vmlinuz-*").split()
    others = [kernel for kernel in kernels if not kernel.endswith(manifest["release"])]
    assert others
    menu = host.check_output("cat /boot/grub/grub.cfg")
    assert all(kernel in menu for kernel in others)


def test_initrd_is_of_a_sane_size(host: Any, manifest: Any) -> None:
    size = int(host.check_output("stat -c %%s /boot/initrd.img-%s", manifest["release"]))
    assert 2**20 < size < 100 * 2**20


def test_nothing_failed_to_start(host: Any) -> None:
    assert host.check_output("systemctl --failed --no-legend --plain") == ""


def test_kernel_is_content(complaints: Any) -> None:
    assert complaints() == ""
