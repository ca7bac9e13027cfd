# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of its own for each distribution's kernel, beside what others put there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import trial as grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    Menu,
    State,
    parse_menu,
    require_working,
    wanted_custom,
    wanted_variables,
)

SAMPLES = Path(__file__).with_name("grub_cfg")
NEW = {
    "debian-12": "6.12.117-49-usac1",
    "debian-13": "6.12.57-49-usac1",
    "ubuntu-22.04": "6.8.0-49-usac1",
    "ubuntu-24.04": "6.8.0-49-usac1",
}
ARGUMENTS = ["panic=10", "oslab.trial=6.8"]


def state(name: str, custom: str = "") -> State:
    text = (SAMPLES / f"{name}.cfg").read_text(encoding="utf-8")
    return State(parse_menu(text), custom=custom)


def trial(name: str, custom: str = "") -> str:
    found = state(name, custom)
    return wanted_custom(found, "once", found.menu.find(NEW[name]), ARGUMENTS)


@pytest.mark.parametrize("name", NEW)
def test_it_is_the_usual_entry_with_more_arguments(name: str) -> None:
    text = trial(name)
    usual = state(name).menu.find(NEW[name])
    assert usual is not None
    entry = parse_menu(text).entries[0]
    assert (entry.id, entry.path, entry.kernel) == ("oslab-trial", "oslab-trial", "")
    words = [line.split() for line in text.splitlines()]
    linux = [line[2:] for line in words if line[:2] == ["if", "linux"]]
    assert linux[0][0] == usual.kernel
    assert linux[0][-3:] == ["panic=10", "oslab.trial=6.8;", "then"]
    assert sum(line == ["reboot"] for line in words) == 2
    kept = [line.strip() for line in usual.body if line.startswith(("search", "insmod", "load_"))]
    assert kept
    assert all(f"\t{line}\n" in text for line in kept)


def test_what_is_for_init_stays_behind() -> None:
    """The kernel reads nothing after `--`, and a panic would be for ever."""
    head = "menuentry 'x' --id x {"
    text = grub_trial.block("6.8", head, ["linux\t/vmlinuz ro -- splash", "initrd /i"], ARGUMENTS)
    assert "\tif linux\t/vmlinuz ro panic=10 oslab.trial=6.8 -- splash; then\n" in text
    quoted = ["linux /vmlinuz 'a -- b' x--y --"]
    text = grub_trial.block("6.8", head, quoted, ARGUMENTS)
    assert "\tif linux /vmlinuz 'a -- b' x--y panic=10 oslab.trial=6.8 --; then\n" in text


@pytest.mark.skipif(not shutil.which("grub-script-check"), reason="GRUB's own parser")
@pytest.mark.parametrize("name", NEW)
def test_grub_can_read_it(name: str) -> None:
    checked = subprocess.run(
        ["grub-script-check"], input=trial(name), text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_what_others_wrote_stays() -> None:
    others = "# mine\nmenuentry 'mine' {\n}"
    once = trial("debian-13", others)
    assert once.startswith(others + "\n" + grub_trial.BEGIN)
    assert trial("debian-13", once) == once
    for kind in ("default", "cancelled", "unset"):
        assert wanted_custom(state("debian-13", once), kind, None, []) == others + "\n"
    assert wanted_custom(state("debian-13", once), "present", None, []) == once


def test_the_entry_stays_while_it_is_to_be_booted() -> None:
    once = trial("debian-13")
    found = state("debian-13", once)
    entry = found.menu.find("6.12.57+deb13-amd64")
    assert entry is not None
    environment = {"saved_entry": entry.path, "next_entry": "oslab-trial"}
    pending = State(found.menu, environment, True, custom=once)
    assert wanted_variables(pending, "default", entry.path) == {}
    assert wanted_custom(pending, "default", entry, []) == once
    assert wanted_variables(pending, "cancelled", "") == {"next_entry": ""}
    assert wanted_variables(pending, "unset", "") == {"saved_entry": "", "next_entry": ""}
    assert wanted_custom(pending, "unset", None, []) == ""
    other = found.menu.find(NEW["debian-13"])
    assert other is not None
    assert wanted_variables(pending, "default", other.path)["next_entry"] == ""
    assert wanted_custom(pending, "default", other, []) == ""


def test_whom_a_password_keeps_out_is_kept_out() -> None:
    head = "menuentry 'x' --class os --unrestricted --users 'a,b' --id 'gnulinux-1-advanced-u' {"
    first = grub_trial.block("1", head, ["linux /vmlinuz-1"], []).splitlines()[1]
    assert first == "menuentry 'Trial of Linux 1' --id oslab-trial --unrestricted --users=a,b {"


def test_a_menu_that_reads_no_custom_cfg_is_reported() -> None:
    menu = Menu(honours_once=True)
    with pytest.raises(GrubError, match="41_custom executable"):
        require_working(State(menu), "grub.cfg", "once", ["panic=10"])
    require_working(State(menu), "grub.cfg", "once")
    require_working(state("ubuntu-22.04"), "grub.cfg", "once", ["panic=10"])
