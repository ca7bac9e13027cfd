# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What boot loaders have on a target: grub.cfg, grubenv, entries in the ESP, the firmware."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._boot import bls, efi_variables
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import booted as grub_booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import entry as grub_entry
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import image as grub_image
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import trial as grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.booted import Booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import LoaderError, Request
from ansible_collections.oslab.kernel.plugins.module_utils._boot.systemd_boot import (
    SystemdBoot,
    lacking,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given
from hypothesis import strategies as st

RELEASE = "6.1.0-50-amd64"
MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
VENDOR = efi_variables.VENDOR
MENU = f"""\
if [ "${{next_entry}}" ] ; then
   set default="${{next_entry}}"
else
   set default="${{saved_entry}}"
fi
submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-1' {{
	menuentry 'Debian' --users "a" $menuentry_id_option 'gnulinux-{RELEASE}-advanced-1' {{
		load_video
		linux	/boot/vmlinuz-{RELEASE} root=UUID=1 ro "quiet splash" $vt
		initrd	/boot/initrd.img-{RELEASE}
	}}
}}
source ${{config_directory}}/custom.cfg
"""
ENVIRONMENT = "# GRUB Environment Block\nsaved_entry=a>b\nnext_entry=oslab-trial\n" + "#" * 50
ENTRY = f"""\
# a comment
title Debian
version {RELEASE}
machine-id {MACHINE}
options root=UUID=0f1e ro "a b"
linux /{MACHINE}/{RELEASE}/linux
initrd /{MACHINE}/{RELEASE}/initrd.img-{RELEASE}
"""
CUSTOM = grub_trial.block(RELEASE, "menuentry 'x' {", ["linux /vmlinuz"], ["a=b"])


def no_program(command: Any) -> Result:
    return Result(127, "", "it is not installed")


@given(hostile.texts(MENU))
def test_menus(text: str) -> None:
    menu = grub_entry.parse_menu(text)
    for entry in menu.entries:
        with contextlib.suppress(KexecError):
            grub_image.image(entry.body, ["a=b"]).load()
        made = grub_trial.block(entry.release, entry.head, entry.body, ["a=b"])
        assert grub_trial.find(grub_trial.replaced(text.replace("#", ""), made)) == made
        menu.question(entry)
        menu.resolve(entry.choice)
        with contextlib.suppress(LoaderError):
            grub_booted.entry(menu, Booted(RELEASE, text[-200:]), entry)
    assert all(menu.find(release) for release in menu.releases())


@given(hostile.texts("quiet mem=4G 'a b' \"c\" BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.1"))
def test_command_lines(text: str) -> None:
    image, words = Booted(RELEASE, text).words()
    assert isinstance(image, str)
    assert isinstance(words, list)


@given(hostile.texts("x>>y>1>Debian GNU/Linux"))
def test_defaults(text: str) -> None:
    grub_entry.parse_menu(MENU).resolve(text)


@example('\tlinux /vmlinuz "root=1')
@given(hostile.texts('\tlinux\t/vmlinuz-6.1 root=UUID=1 "a b"'))
def test_an_entry_for_kexec(line: str) -> None:
    with contextlib.suppress(KexecError):
        grub_image.image([line, "initrd /initrd"], [])


@given(hostile.texts(ENVIRONMENT))
def test_environments(text: str) -> None:
    assert all(isinstance(value, str) for value in grub_entry.parse_environment(text).values())


FILES = {"grub.cfg": MENU.encode(), "grubenv": ENVIRONMENT.encode(), "custom.cfg": CUSTOM.encode()}
REQUESTS = [
    Request(),
    Request(state="once", release=RELEASE, arguments=["oslab.trial=1"], flush=False),
    Request(state="default", release=RELEASE, flush=False),
    Request(state="unset"),
    Request(state="cancelled"),
]


@given(hostile.files(FILES), st.sampled_from(REQUESTS))
def test_grub(tmp_path: Path, tree: dict[str, Any], request: Request) -> None:
    root = tmp_path / "grub"
    hostile.put(root, tree)
    before = hostile.names(root)
    with contextlib.suppress(LoaderError, KexecError):
        config, environment, custom = (str(root / name) for name in FILES)
        grub = Grub(no_program, config, environment, custom)
        grub.plan(request)
        grub.image(RELEASE, [])
    assert hostile.names(root) == before


@given(
    hostile.texts(f"{MACHINE}-{RELEASE}+3-1.conf").filter(lambda name: len(name) < 256),
    hostile.texts(ENTRY),
)
def test_entries(name: str, text: str) -> None:
    entry = bls.parse(name, text)
    assert entry.left is None or entry.left >= 0
    bls.is_entry(name)
    bls.find([entry], RELEASE, MACHINE)
    bls.newest_first([entry.release(MACHINE), "6.10", "6.9"])
    # What the trial has is what its kernel's own entry has, line for line.
    made = bls.parse(name, bls.trial(entry, ["a=b"]))
    assert made.values("linux") == entry.values("linux")
    assert made.values("initrd") == entry.values("initrd")
    assert made.options.split() == [*entry.options.split(), "a=b"]


ESP = {
    "etc/machine-id": f"{MACHINE}\n".encode(),
    f"efi/loader/entries/{MACHINE}-{RELEASE}.conf": ENTRY.encode(),
    "efi/loader/entries/oslab-trial+1.conf": b"title Trial\n",
    f"efi/{MACHINE}/{RELEASE}/linux": b"x",
    f"efi/{MACHINE}/{RELEASE}/initrd.img-{RELEASE}": b"x",
    f"boot/vmlinuz-{RELEASE}": b"x",
    f"lib/modules/{RELEASE}/modules.dep": b"kernel/fs/fat/vfat.ko.xz:\n",
    f"lib/modules/{RELEASE}/modules.builtin": b"kernel/fs/efivarfs/efivarfs.ko\n",
    f"efivars/LoaderInfo-{VENDOR}": b"\7\0\0\0" + "systemd-boot".encode("utf-16-le"),
    f"efivars/LoaderFeatures-{VENDOR}": b"\7\0\0\0\xff\xff\0\0\0\0\0\0",
    f"efivars/LoaderEntryDefault-{VENDOR}": (
        b"\7\0\0\0" + f"{MACHINE}-{RELEASE}.conf\0".encode("utf-16-le")
    ),
}


@given(hostile.files(ESP), st.sampled_from(REQUESTS))
def test_systemd_boot(tmp_path: Path, tree: dict[str, Any], request: Request) -> None:
    root = tmp_path / "host"
    hostile.put(root, tree)
    before = hostile.names(root)
    with contextlib.suppress(LoaderError, KexecError):
        loader = SystemdBoot(no_program, str(root / "efi"), root / "efivars", root)
        loader.plan(request)
        loader.image(RELEASE, [])
    assert hostile.names(root) == before
    lacking(root / "lib/modules" / RELEASE)
    efi_variables.number(root / "efivars", "LoaderFeatures")


@given(hostile.texts("/loader/../../../etc/shadow", f"/{MACHINE}/{RELEASE}/linux"))
@example("/../boot/vmlinuz-6.1.0-50-amd64")
def test_no_entry_leads_out_of_the_esp(tmp_path: Path, name: str) -> None:
    text = ENTRY.replace(f"linux /{MACHINE}/{RELEASE}/linux", f"linux {name}")
    hostile.put(
        tmp_path / "h", {**ESP, f"efi/loader/entries/{MACHINE}-{RELEASE}.conf": text.encode()}
    )
    with contextlib.suppress(LoaderError, KexecError):
        loader = SystemdBoot(
            no_program, str(tmp_path / "h/efi"), tmp_path / "h/efivars", tmp_path / "h"
        )
        kernel = loader.image(RELEASE, []).kernel
        assert kernel.is_relative_to(tmp_path / "h/efi")
        assert ".." not in kernel.parts
