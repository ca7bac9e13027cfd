# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room another kernel needs, and whether it gets an initrd."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.boot_space import (
    boot_facts,
    kernel_kib,
    kexec_reboots,
    loader,
    loader_directory,
)


def file(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_the_largest_of_each_kind_counts(tmp_path: Path) -> None:
    file(tmp_path / "vmlinuz-6.1", 5000)
    file(tmp_path / "vmlinuz-6.8", 7000)
    file(tmp_path / "initrd.img-6.1", 3000)
    file(tmp_path / "grub/grub.cfg", 90000)
    assert kernel_kib(tmp_path) == 10  # 7000 + 3000 bytes, rounded up
    assert kernel_kib(tmp_path / "none") == 0


def test_initrd_programs(tmp_path: Path) -> None:
    assert boot_facts(tmp_path)["initrd_program"] is None
    file(tmp_path / "usr/bin/dracut", 1)
    assert boot_facts(tmp_path)["initrd_program"] == "dracut"
    file(tmp_path / "usr/sbin/update-initramfs", 1)
    assert boot_facts(tmp_path)["initrd_program"] == "update-initramfs"


def test_boot_on_the_root_filesystem(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    assert boot_facts(tmp_path)["boot_separate"] is False


def test_boot_on_a_filesystem_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "boot").symlink_to("/proc")
    assert boot_facts(tmp_path)["boot_separate"] is True


@pytest.fixture
def info(tmp_path: Path) -> Path:
    """The variable in which a loader tells its name."""
    name = "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    path = tmp_path / "sys/firmware/efi/efivars" / name
    path.parent.mkdir(parents=True)
    return path


def efi_string(text: str) -> bytes:
    return b"\6\0\0\0" + f"{text}\0".encode("utf-16-le")


def test_the_loader_tells_its_name(tmp_path: Path, info: Path) -> None:
    assert loader(tmp_path) == "grub"
    info.write_bytes(efi_string("systemd-boot 252.30-1~deb12u2"))
    assert boot_facts(tmp_path)["boot_loader"] == "systemd-boot"
    for content in (efi_string("GRUB 2.12"), b"\6\0\0\0", b""):
        info.write_bytes(content)
        assert loader(tmp_path) == "grub"


def test_a_loader_that_has_copies_of_its_own(tmp_path: Path, info: Path) -> None:
    file(tmp_path / "boot/vmlinuz-6.1", 5000)
    file(tmp_path / "boot/config-6.1", 9000)
    answers = {"bootctl --print-boot-path": Result(0, "/efi\n")}

    def directory() -> Optional[str]:
        return loader_directory(tmp_path, lambda argv: answers[" ".join(argv)])

    info.write_bytes(efi_string("GRUB 2.12"))
    assert (boot_facts(tmp_path)["loader_kernel_kib"], directory()) == (0, None)
    info.write_bytes(efi_string("systemd-boot 252"))
    assert (boot_facts(tmp_path)["loader_kernel_kib"], directory()) == (5, "/efi")
    answers["bootctl --print-boot-path"] = Result(127)
    assert directory() is None


def test_reboots_that_kexec_takes_over(tmp_path: Path) -> None:
    settings = tmp_path / "etc/default/kexec"
    settings.parent.mkdir(parents=True)
    settings.write_text("# LOAD_KEXEC=false\nLOAD_KEXEC=true\n")
    assert not kexec_reboots(tmp_path)
    file(tmp_path / "sbin/kexec", 1)
    assert kexec_reboots(tmp_path)
    more = tmp_path / "etc/default/kexec.d/kdump"
    more.parent.mkdir()
    more.write_text('LOAD_KEXEC="false"\n')
    assert boot_facts(tmp_path)["kexec_reboots"] is False
    more.unlink()
    settings.unlink()
    assert not kexec_reboots(tmp_path)


def test_a_kernel_that_xen_has_started(tmp_path: Path) -> None:
    """A guest is none: its loader starts its kernel as on any machine."""
    assert boot_facts(tmp_path)["xen_dom0"] is False
    capabilities = tmp_path / "proc/xen/capabilities"
    capabilities.parent.mkdir(parents=True)
    capabilities.write_text("\n")
    kind, uuid = tmp_path / "sys/hypervisor/type", tmp_path / "sys/hypervisor/uuid"
    kind.parent.mkdir(parents=True)
    kind.write_text("xen\n")
    uuid.write_text("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n")
    assert boot_facts(tmp_path)["xen_dom0"] is False
    capabilities.write_text("control_d\n")
    assert boot_facts(tmp_path)["xen_dom0"] is True
    capabilities.unlink()
    uuid.write_text("00000000-0000-0000-0000-000000000000\n")
    assert boot_facts(tmp_path)["xen_dom0"] is True
