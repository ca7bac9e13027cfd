# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same start by kexec as GRUB's."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.image import image
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import KexecError

BODY = (
    "insmod ext2",
    "echo 'Loading Linux 6.8-oslab ...'",
    "linux\t/vmlinuz-6.8-oslab root=UUID=0f1e ro  quiet $vt_handoff 'dyndbg=file a +p'",
    "initrd\t/initrd.img-6.8-oslab",
)


def test_the_entry_s_kernel_and_arguments_and_more() -> None:
    assert image(BODY, ["panic=10", "oslab.trial=6.8-oslab"]).load() == [
        "kexec",
        "--load",
        "/boot/vmlinuz-6.8-oslab",
        "--initrd=/boot/initrd.img-6.8-oslab",
        '--command-line=root=UUID=0f1e ro quiet "dyndbg=file a +p" panic=10 oslab.trial=6.8-oslab',
    ]


def test_what_is_for_init_stays_behind() -> None:
    body = [line.replace("ro ", "ro -- ") for line in BODY]
    assert image(body, ["panic=10"]).arguments[:4] == ("root=UUID=0f1e", "ro", "panic=10", "--")


@pytest.mark.parametrize("written", [r"memmap=2M\$0x3f000000", "'memmap=2M$0x3f000000'"])
def test_a_dollar_that_is_no_variable_stays(written: str) -> None:
    """Memory that is broken or reserved is left out by it, as GRUB's entry has it."""
    body = [line.replace("quiet", f"{written} quiet") for line in BODY]
    assert "memmap=2M$0x3f000000" in image(body, []).arguments


@pytest.mark.parametrize("word", ["$tuned_params", "root=${x}", '"a=$b"'])
def test_what_grub_alone_knows_is_refused(word: str) -> None:
    body = [line.replace("quiet", f"{word} quiet") for line in BODY]
    with pytest.raises(KexecError, match=r"whose value GRUB alone knows"):
        image(body, [])


def test_a_disk_that_grub_alone_knows_is_of_no_matter() -> None:
    body = [line.replace("\t/", "\t($root)/") for line in BODY]
    assert image(body, []).kernel == Path("/boot/vmlinuz-6.8-oslab")
    with pytest.raises(KexecError, match=r"its entry has \$kernel"):
        image([line.replace("/vmlinuz-6.8-oslab", "/$kernel") for line in BODY], [])


def test_where_boot_is_on_the_root_filesystem() -> None:
    body = [line.replace("\t/", "\t/boot/") for line in BODY]
    assert image(body, []).kernel == Path("/boot/vmlinuz-6.8-oslab")


@pytest.mark.parametrize(
    "initrd", ["initrd /ucode.img /initrd.img-6.8-oslab", "# initrd /initrd.img-6.8-oslab"]
)
def test_kexec_takes_one_initrd(initrd: str) -> None:
    with pytest.raises(KexecError):
        image([*BODY[:-1], initrd], [])
