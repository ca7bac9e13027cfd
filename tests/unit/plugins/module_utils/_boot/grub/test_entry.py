# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right entry of each distribution's grub.cfg, and what is written holds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    Menu,
    State,
    parse_environment,
    parse_menu,
    read_only_reason,
    read_state,
    require_entry,
    require_working,
    wanted_variables,
    write_variables,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result, Runner

SAMPLES = Path(__file__).with_name("grub_cfg")
UUID = "3c7c9a3e-0d55-4b1f-9a55-1d6b6f7a2f10"


def menu(name: str) -> Menu:
    return parse_menu((SAMPLES / f"{name}.cfg").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "releases"),
    [
        ("debian-12", ["6.12.117-49-usac1", "6.1.0-41-amd64", "6.1.0-30-amd64"]),
        ("debian-13", ["6.12.57+deb13-amd64", "6.12.57-49-usac1", "6.12.57-49-usac1.old"]),
        ("ubuntu-22.04", ["6.8.0-49-usac1", "5.15.0-161-generic"]),
        ("ubuntu-24.04", ["6.8.0-88-generic", "6.8.0-49-usac1"]),
    ],
)
def test_each_release_has_one_path_by_ids(name: str, releases: list[str]) -> None:
    parsed = menu(name)
    assert parsed.releases() == releases
    for release in releases:
        entry = parsed.find(release)
        assert entry is not None
        assert entry.path == f"gnulinux-advanced-{UUID}>gnulinux-{release}-advanced-{UUID}"
        assert parsed.release_of(entry.path) == release
    assert parsed.honours_once


@pytest.mark.parametrize(
    ("name", "saved"),
    [("debian-12", False), ("debian-13", True), ("ubuntu-22.04", False), ("ubuntu-24.04", True)],
)
def test_saved_default_is_seen(name: str, saved: bool) -> None:
    assert menu(name).honours_saved is saved


def test_another_systems_kernel_and_a_release_prefix_are_not_taken() -> None:
    parsed = menu("debian-12")
    assert parsed.find("6.1.0") is None
    assert parsed.find("6.12.117") is None
    found = parsed.find("6.1.0-30-amd64")
    assert found is not None
    assert found.id.startswith("gnulinux-")


def test_without_submenu_the_id_stands_alone() -> None:
    text = (
        "menuentry 'x' $menuentry_id_option 'gnulinux-6.8-advanced-u' {\n linux /vmlinuz-6.8\n}\n"
    )
    found = parse_menu(text).find("6.8")
    assert found is not None
    assert found.path == "gnulinux-6.8-advanced-u"


def test_of_two_entries_for_a_release_the_first_is_taken() -> None:
    text = "".join(
        f"menuentry 'x' --id=gnulinux-6.8-advanced-{u} {{\n linux /boot/vmlinuz-6.8\n}}\n"
        for u in ("one", "two")
    )
    parsed = parse_menu(text)
    found = parsed.find("6.8")
    assert found is not None
    assert found.path.endswith("one")
    assert parsed.releases() == ["6.8"]


def test_entry_in_a_submenu_without_id_cannot_be_named() -> None:
    text = (
        "submenu 'old > new' {\n menuentry 'x' --id gnulinux-6.8-advanced-u {\n"
        "  linux /vmlinuz-6.8\n }\n}\n"
    )
    parsed = parse_menu(text)
    assert parsed.find("6.8") is None
    with pytest.raises(GrubError, match=r"no entry for kernel 6\.8; it has entries for: none"):
        require_entry(State(parsed), "grub.cfg", "6.8")


def test_a_separator_inside_an_id_is_doubled() -> None:
    text = (
        "submenu 's' --id 'a>b' {\n menuentry 'x' --id 'gnulinux-6.8-advanced-u' {\n"
        "  linux /vmlinuz-6.8\n }\n}\n"
    )
    found = parse_menu(text).find("6.8")
    assert found is not None
    assert found.path == "a>>b>gnulinux-6.8-advanced-u"


def test_signed_image_counts_as_its_release() -> None:
    text = (
        "menuentry 'x' --id gnulinux-6.8-advanced-u {\n"
        "  linux /boot/vmlinuz-6.8.efi.signed root=/dev/vda1\n}\n"
    )
    assert parse_menu(text).releases() == ["6.8"]


def test_environment_block_is_read() -> None:
    text = "# GRUB Environment Block\nsaved_entry=a>b\nnext_entry=\n" + "#" * 40
    assert parse_environment(text) == {"saved_entry": "a>b", "next_entry": ""}


def test_a_new_default_ends_an_older_trial_and_a_kept_one_does_not() -> None:
    state = State(Menu(), {"saved_entry": "a", "next_entry": "b"}, True)
    assert wanted_variables(state, "default", "a") == {}
    assert wanted_variables(state, "default", "c") == {"saved_entry": "c", "next_entry": ""}
    assert wanted_variables(state, "once", "b") == {}
    assert wanted_variables(state, "once", "c") == {"next_entry": "c"}


def test_a_boot_that_failed_without_its_initrd_does_not_take_the_trial_s_place() -> None:
    stale = {"initrdfail": "1", "prev_entry": "a"}
    state = State(Menu(), {"saved_entry": "a", **stale}, True)
    gone = {"initrdfail": "", "prev_entry": ""}
    assert wanted_variables(state, "once", "b") == {**gone, "next_entry": "b"}
    assert wanted_variables(state, "default", "b") == {"saved_entry": "b", **gone}
    state = State(Menu(), {"next_entry": "b", **stale}, True)
    assert wanted_variables(state, "once", "b") == gone


def test_what_grub_would_not_honour_is_refused() -> None:
    with pytest.raises(GrubError, match="does not look at next_entry"):
        require_working(State(Menu()), "grub.cfg", "once")
    with pytest.raises(GrubError, match="/boot/grub is on lvm"):
        require_working(
            State(menu("debian-13"), read_only="/boot/grub is on lvm"), "grub.cfg", "once"
        )
    require_working(State(menu("debian-13")), "grub.cfg", "default")


def test_a_default_is_chosen_outside_a_block_that_grub_cannot_write() -> None:
    variables = {"saved_entry": "a", "next_entry": "b", "initrdfail": "1"}
    state = State(Menu(), variables, True, "/boot/grub is on LVM")
    # What would be booted in its place, by whoever has written that.
    assert wanted_variables(state, "default", "c") == {"next_entry": "", "initrdfail": ""}
    assert wanted_variables(State(Menu(), {}, False, "LVM"), "default", "c") == {}


@pytest.mark.parametrize(
    ("abstraction", "filesystem", "reason"),
    [
        ("", "ext2", ""),
        ("", "xfs", ""),
        # As grub-probe 2.06 and 2.12 print them.
        ("lvm", "ext2", "LVM"),
        ("diskfilter mdraid1x", "ext2", "software RAID (md)"),
        ("diskfilter mdraid09", "xfs", "software RAID (md)"),
        ("lvm diskfilter mdraid1x", "ext2", "software RAID (md)"),
        ("diskfilter ldm", "ext2", "RAID that its firmware or Windows made"),
        ("cryptodisk luks2", "ext2", ""),
        ("", "btrfs", "btrfs"),
        ("", "zfs", "zfs"),
    ],
)
def test_disks_that_grub_cannot_write(abstraction: str, filesystem: str, reason: str) -> None:
    def run(command: Sequence[str]) -> Result:
        return Result(0, (abstraction if "abstraction" in command[1] else filesystem) + "\n")

    found = read_only_reason(run, "/boot/grub")
    assert found == (f"/boot/grub is on {reason}" if reason else "")


@pytest.mark.parametrize("fails", [("fs",), ("abstraction",), ("fs", "abstraction")])
def test_a_grub_probe_that_fails(tmp_path: Path, fails: tuple[str, ...]) -> None:
    """The kernel says where the directory is."""
    (tmp_path / "proc/self").mkdir(parents=True)
    mounts = tmp_path / "proc/self/mountinfo"
    mounts.write_text("1 1 0:30 / / rw - btrfs /dev/sda1 rw\n")

    def run(command: Sequence[str]) -> Result:
        return Result(1 if command[1].partition("=")[2] in fails else 0)

    assert read_only_reason(run, "/boot/grub", tmp_path) == "/boot/grub is on btrfs"


def test_no_grub_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(GrubError, match="does not boot by GRUB"):
        read_state(lambda command: Result(0), str(tmp_path / "grub.cfg"), str(tmp_path / "env"))


def fake_editenv(lies: bool = False) -> Runner:
    def run(command: Sequence[str]) -> Result:
        if command[0] != "grub-editenv":
            return Result(0)
        file, action = Path(command[1]), command[2]
        values = parse_environment(file.read_text()) if file.exists() else {}
        for word in command[3:]:
            name, _mark, value = word.partition("=")
            values.pop(name, None)
            if action == "set" and not lies:
                values[name] = value
        file.write_text(
            "# GRUB Environment Block\n" + "".join(f"{k}={v}\n" for k, v in values.items())
        )
        return Result(0)

    return run


def test_the_block_is_made_and_read_back(tmp_path: Path) -> None:
    config, block = tmp_path / "grub.cfg", tmp_path / "grubenv"
    shutil.copy(SAMPLES / "debian-13.cfg", config)
    run = fake_editenv()
    for kind, release in (("default", "6.12.57+deb13-amd64"), ("once", "6.12.57-49-usac1")):
        state = read_state(run, str(config), str(block))
        path = require_entry(state, str(config), release).path
        changes = wanted_variables(state, kind, path)
        write_variables(run, state, str(block), changes)
        again = read_state(run, str(config), str(block))
        assert wanted_variables(again, kind, path) == {}
    environment = parse_environment(block.read_text())
    assert environment["saved_entry"].endswith(f"gnulinux-6.12.57+deb13-amd64-advanced-{UUID}")
    assert environment["next_entry"].endswith(f"gnulinux-6.12.57-49-usac1-advanced-{UUID}")


def test_a_block_that_does_not_keep_it_is_reported(tmp_path: Path) -> None:
    block = tmp_path / "grubenv"
    state = State(menu("debian-13"))
    with pytest.raises(GrubError, match="did not keep next_entry"):
        write_variables(fake_editenv(lies=True), state, str(block), {"next_entry": "x"})


@pytest.mark.skipif(not shutil.which("grub-editenv"), reason="the real grub-editenv")
def test_the_real_tool_agrees(tmp_path: Path) -> None:
    block = tmp_path / "grubenv"

    def run(command: Sequence[str]) -> Result:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    write_variables(run, State(Menu()), str(block), {"saved_entry": "a>b", "next_entry": "a>c"})
    write_variables(
        run,
        State(Menu(), environment_exists=True),
        str(block),
        {"saved_entry": "a>c", "next_entry": ""},
    )
    assert parse_environment(block.read_text()) == {"saved_entry": "a>c"}
    assert block.stat().st_size == 1024
