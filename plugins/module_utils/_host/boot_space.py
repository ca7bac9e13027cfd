# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Space in /boot, the program that makes initrds, and the boot loader of a host."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot import efi_variables
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

KINDS = ("vmlinuz", "initrd.img", "System.map", "config")
# Those of which systemd-boot has its own copy.
LOADED = KINDS[:2]
INITRD_PROGRAMS = ("update-initramfs", "dracut")
GRUB, SYSTEMD_BOOT = "grub", "systemd-boot"
_NO_UUID = "00000000-0000-0000-0000-000000000000"
KEXEC = "etc/default/kexec"
_LOAD_KEXEC = re.compile(r"""^[ \t]*LOAD_KEXEC=["']?(\w*)""", re.MULTILINE)


def kernel_kib(boot: Path, kinds: Sequence[str] = KINDS) -> int:
    """Space of a kernel in /boot: the largest file of each kind, in KiB, rounded up."""
    total = 0
    for kind in kinds:
        sizes = [0]
        for file in boot.glob(f"{kind}-*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                found = file.stat()
                sizes.append(found.st_size if stat.S_ISREG(found.st_mode) else 0)
        total += max(sizes)
    return -(-total // 1024)


def initrd_program(root: Path) -> str | None:
    for name in INITRD_PROGRAMS:
        if any((root / directory / name).exists() for directory in ("usr/sbin", "usr/bin")):
            return name
    return None


def kexec_reboots(root: Path) -> bool:
    """Whether kexec-tools turns each reboot into a start of its own choice, past the loader."""
    if not (root / "sbin/kexec").exists():
        return False
    files = [root / KEXEC, *sorted((root / f"{KEXEC}.d").glob("*"))]
    found = [value for file in files for value in _LOAD_KEXEC.findall(read(file))]
    return bool(found) and found[-1] == "true"


def xen_dom0(root: Path) -> bool:
    """Whether the kernel that runs was started by Xen, to rule it: no loader starts it alone."""
    if "control_d" in read(root / "proc/xen/capabilities"):
        return True
    # Where xenfs is not mounted: the first domain is that without an identity.
    hypervisor = root / "sys/hypervisor"
    return (
        read(hypervisor / "type").strip() == "xen" and read(hypervisor / "uuid").strip() == _NO_UUID
    )


def loader(root: Path) -> str:
    """The boot loader of this boot. Most GRUBs do not report their name: without one it is GRUB."""
    name = efi_variables.text(root / efi_variables.DIRECTORY, "LoaderInfo")
    return SYSTEMD_BOOT if name.startswith(SYSTEMD_BOOT) else GRUB


def loader_directory(root: Path, run: Runner) -> Optional[str]:
    """Where the loader has its own copy of kernels; None if it has none, or that is not known."""
    if loader(root) != SYSTEMD_BOOT:
        return None
    return run(["bootctl", "--print-boot-path"]).out_if_ok.strip() or None


def boot_facts(root: Path) -> dict[str, Any]:
    boot, started_by = root / "boot", loader(root)
    return {
        "boot_separate": boot.is_dir() and boot.stat().st_dev != root.stat().st_dev,
        "boot_kernel_kib": kernel_kib(boot),
        "loader_kernel_kib": kernel_kib(boot, LOADED) if started_by == SYSTEMD_BOOT else 0,
        "initrd_program": initrd_program(root),
        "boot_loader": started_by,
        "kexec_reboots": kexec_reboots(root),
        "xen_dom0": xen_dom0(root),
    }
