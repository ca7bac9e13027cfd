# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays the default is the entry that was booted, not another of its kernel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.booted import Booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    parse_environment,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import Request
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import grub_emulator
from ansible_collections.oslab.kernel.tests.lib.grub_settings import settled

SAMPLES = Path(__file__).with_name("grub_cfg")
RELEASE = "6.12.57+deb13-amd64"
UUID = "3c7c9a3e-0d55-4b1f-9a55-1d6b6f7a2f10"
USUAL = f"gnulinux-advanced-{UUID}>gnulinux-{RELEASE}-advanced-{UUID}"
ROOT = f"root=UUID={UUID} ro"
IMAGE = f"BOOT_IMAGE=/boot/vmlinuz-{RELEASE} "


def custom(head: str, arguments: str, kernel: str = f"/boot/vmlinuz-{RELEASE}") -> str:
    return (
        f"menuentry {head} {{\n\tlinux\t{kernel} {ROOT} {arguments}\n"
        f"\tinitrd\t/boot/initrd.img-{RELEASE}\n}}\n"
    )


OWN = custom("'Mine' --id mine", "quiet mem=4G")
UNNAMED = custom("'Mine > yours'", "quiet mem=4G")
XEN = (
    "submenu 'Xen' --id xen {\nmenuentry 'Debian, with Xen' --id xen-gnulinux-1 {\n"
    "\tmultiboot2\t/boot/xen-4.20-amd64.gz placeholder\n"
    f"\tmodule2\t/boot/vmlinuz-{RELEASE} placeholder {ROOT} quiet\n}}\n}}\n"
)


def loader(directory: Path, booted: Booted) -> Grub:
    """With the files of this directory, and programs that do nothing."""
    menu, environment, own = (
        str(directory / name) for name in ("grub.cfg", "grubenv", "custom.cfg")
    )
    settings = settled(directory)
    return Grub(lambda _: Result(0), menu, environment, own, booted, settings)


def keep(
    directory: Path, more: str, saved: str, command_line: str, release: str = RELEASE
) -> tuple[str, str]:
    """The default after the running kernel was kept it, and what GRUB boots then, if it is here."""
    config = (
        (SAMPLES / "debian-13.cfg")
        .read_text()
        .replace("### BEGIN /etc/grub.d/41_custom", f"{more}### BEGIN /etc/grub.d/41_custom")
    )
    files = [directory / name for name in ("grub.cfg", "grubenv", "custom.cfg")]
    files[0].write_text(config)
    if saved:
        files[1].write_text(f"saved_entry={saved}\n")

    def run(command: Sequence[str]) -> Result:
        if command[0] == "grub-editenv" and command[2] == "set":
            files[1].write_text(f"{command[3]}\n")
        return Result(0)

    menu, environment, own = map(str, files)
    booted_by, settings = Booted(release, command_line), settled(directory)
    grub = Grub(run, menu, environment, own, booted_by, settings)
    plan = grub.plan(Request("default", RELEASE, flush=False))
    for step in plan.steps:
        step()
    variables = parse_environment(files[1].read_text())
    assert grub.entry_problem(RELEASE) == ""
    assert plan.after.default_entry == plan.entry == variables["saved_entry"]
    assert RELEASE in grub.releases()
    again = Grub(run, menu, environment, own, booted_by, settings)
    assert again.plan(Request("default", RELEASE, flush=False)).steps == []
    booted = grub_emulator.boot(config, variables) if grub_emulator.PROGRAM else ""
    return variables["saved_entry"], booted


@pytest.mark.parametrize(
    ("more", "saved", "arguments", "expected"),
    [
        # The usual entry, chosen or not.
        (OWN, USUAL, "quiet", USUAL),
        (OWN, "", "quiet", USUAL),
        ("", "0", "quiet", USUAL),
        # Its own arguments, chosen by id, title or position, or once by hand.
        (OWN, "mine", "quiet mem=4G", "mine"),
        (OWN, "Mine", "quiet mem=4G", "mine"),
        (OWN, USUAL, "quiet mem=4G", "mine"),
        (UNNAMED, "Mine >> yours", "quiet mem=4G", "Mine >> yours"),
        (UNNAMED, "", "quiet mem=4G", "Mine >> yours"),
        # Two that do the same: the one that was chosen.
        (custom("'Same' --id same", "quiet"), "same", "quiet", "same"),
        (custom("'Same' --id same", "quiet"), "", "quiet", USUAL),
        # Nothing says which: who had chosen this kernel keeps that, another's choice is none.
        (OWN, "mine", "quiet mem=4G edited=1", "mine"),
        (OWN, "", "edited=1", USUAL),
        # Neither a rescue nor another system is to come back to.
        (OWN, USUAL, "single", USUAL),
        (custom("'B' --id osprober-1", "a=b"), "osprober-1", "a=b", USUAL),
        # Without Xen, this time.
        (XEN, "xen>xen-gnulinux-1", "quiet", USUAL),
        # GRUB puts in what is not known here.
        (custom("'V' --id v", "quiet $vt_handoff"), "v", "quiet vt.handoff=7", "v"),
        (custom("'V' --id v", "quiet $vt_handoff") + OWN, "v", "quiet mem=4G", "mine"),
        # A dollar that is no variable.
        (
            custom("'D' --id d", r"quiet memmap=2M\$0x3f000000"),
            "",
            "quiet memmap=2M$0x3f000000",
            "d",
        ),
        (custom("'D' --id d", r"quiet memmap=2M\$0x3f000000"), "", "quiet", USUAL),
        (custom("'Q' --id q", 'quiet "dyndbg=file a +p"'), "", 'quiet "dyndbg=file a +p"', "q"),
    ],
)
def test_the_entry_that_was_booted_stays(
    tmp_path: Path, more: str, saved: str, arguments: str, expected: str
) -> None:
    found, booted = keep(tmp_path, more, saved, f"{IMAGE}{ROOT} {arguments}\n")
    assert found == expected
    assert booted in ("", expected)


@pytest.mark.parametrize(
    "image",
    ["", f"BOOT_IMAGE=(hd0,gpt2)/boot/vmlinuz-{RELEASE} ", f"BOOT_IMAGE=/vmlinuz-{RELEASE} "],
)
def test_kexec_and_other_disks_say_it_otherwise(tmp_path: Path, image: str) -> None:
    assert keep(tmp_path, OWN, "", f"{image}{ROOT} quiet mem=4G\n")[0] == "mine"


def test_of_a_kernel_that_does_not_run_it_is_the_usual_one(tmp_path: Path) -> None:
    assert keep(tmp_path, OWN, "mine", f"{IMAGE}{ROOT} quiet mem=4G\n", "6.1")[0] == USUAL


def test_the_trial_s_own_entry_is_none(tmp_path: Path) -> None:
    trial = custom("'Trial' --id oslab-trial", "quiet panic=10")
    assert keep(tmp_path, trial, "", f"{IMAGE}{ROOT} quiet panic=10\n")[0] == USUAL


@pytest.mark.parametrize(
    ("more", "image", "message"),
    [
        (custom("'M' --id m", "a=b", "/vmlinuz"), "/vmlinuz", "'M', which loads /vmlinuz: another"),
        (
            custom("'6 M'", "a=b"),
            f"/boot/vmlinuz-{RELEASE}",
            "which cannot be named as the default",
        ),
        (
            custom('"$x"', "a=b"),
            f"/boot/vmlinuz-{RELEASE}",
            "option --id that begins with a letter",
        ),
    ],
)
def test_one_that_cannot_be_the_default_is_refused(
    tmp_path: Path, more: str, image: str, message: str
) -> None:
    line = f"BOOT_IMAGE={image} {ROOT} a=b\n"
    with pytest.raises(GrubError, match=message):
        keep(tmp_path, more, "", line)
    assert not (tmp_path / "grubenv").exists()
    grub = loader(tmp_path, Booted(RELEASE, line))
    assert message in grub.entry_problem(RELEASE)


def test_a_file_without_a_release_does_no_harm_where_the_usual_entry_does_the_same(
    tmp_path: Path,
) -> None:
    more = custom("'M' --id m", "quiet", "/vmlinuz")
    assert keep(tmp_path, more, "m", f"BOOT_IMAGE=/vmlinuz {ROOT} quiet\n")[0] == USUAL


def test_a_kernel_that_only_an_entry_of_one_s_own_boots(tmp_path: Path) -> None:
    config = custom("'Mine' --id mine", "a=b")
    (tmp_path / "grub.cfg").write_text(f'set default="${{saved_entry}}"\n{config}')
    grub = loader(tmp_path, Booted(RELEASE, f"{IMAGE}{ROOT} a=b"))
    assert grub.releases() == [RELEASE]
    assert grub.plan(Request("default", RELEASE, flush=False)).entry == "mine"
