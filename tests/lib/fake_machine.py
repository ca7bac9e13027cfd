# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host made of files, for what reads the facts of one."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import Host, gather

RELEASE = "6.1.0-50-amd64"

ALIASES = """\
# Aliases extracted from modules themselves.
alias pci:v00008086d00000953sv*sd*bc*sc*i* nvme
alias pci:v*d*sv*sd*bc01sc06i01* ahci
alias pci:v*d*sv*sd*bc0Csc03i30* xhci_pci
alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau
alias pci:v00008086d*sv*sd*bc06sc04i00* bridge-helper
alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci
alias virtio:d00000002v* virtio_blk
alias virtio:d00000001v* virtio_net
alias virtio:d00000010v* virtio-gpu
alias fs-ext4 ext4
alias usb:v*p*d*dc*dsc*dp*ic03isc*ip*in* usbhid
alias hid:b0003g*v*p* hid-generic
alias serio:ty06pr*id*ex* atkbd
alias acpi*:PNP0303:* not-a-match-[x]
"""

DEPENDENCIES = """\
kernel/drivers/nvme/host/nvme.ko: kernel/drivers/nvme/host/nvme-core.ko
kernel/drivers/nvme/host/nvme-core.ko: kernel/lib/t10-pi.ko.xz
kernel/lib/t10-pi.ko.xz:
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/crypto/crc32c_generic.ko:
kernel/fs/nls/nls_ascii.ko:
kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko
"""


class Machine:
    """A root directory with the /sys, /proc and the rest of a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mounts: list[str] = []
        self.write("proc/sys/kernel/osrelease", RELEASE)
        self.write("proc/sys/kernel/ostype", "Linux")
        self.write("proc/sys/kernel/random/boot_id", "b-o-o-t")
        self.write(f"lib/modules/{RELEASE}/modules.alias", ALIASES)
        self.write(f"lib/modules/{RELEASE}/modules.dep", DEPENDENCIES)
        self.write(f"lib/modules/{RELEASE}/modules.softdep", "softdep ext4 pre: crc32c_generic\n")
        (root / "sys" / "devices").mkdir(parents=True)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n" if text and not text.endswith("\n") else text)

    def link(self, path: str, target: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(self.root / target, link.parent))

    def device(self, path: str, driver: str = "", **attributes: str) -> str:
        """A directory below sys/devices; the driver's module is named as the driver."""
        full = f"sys/devices/{path}"
        (self.root / full).mkdir(parents=True, exist_ok=True)
        for name, value in attributes.items():
            self.write(f"{full}/{name}", value)
        if driver:
            (self.root / f"sys/drivers/{driver}").mkdir(parents=True)
            (self.root / f"sys/module/{driver}").mkdir(parents=True)
            self.link(f"sys/drivers/{driver}/module", f"sys/module/{driver}")
            self.link(f"{full}/driver", f"sys/drivers/{driver}")
        return full

    def bound(self, path: str, driver: str, **attributes: str) -> None:
        """A device whose driver is built in: the driver has a name and no link to a module."""
        full = self.device(path, **attributes)
        (self.root / f"sys/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"{full}/driver", f"sys/drivers/{driver}")

    def pci(self, path: str, modalias: str, kind: str, driver: str = "") -> str:
        full = self.device(path, driver, modalias=modalias, **{"class": kind})
        self.link(f"sys/bus/pci/devices/{path.rsplit('/', 1)[-1]}", full)
        return full

    def disk(self, path: str, number: str) -> str:
        full = self.device(path)
        name = path.rsplit("/", 1)[-1]
        self.link(f"sys/class/block/{name}", full)
        self.link(f"sys/dev/block/{number}", full)
        return full

    def mount(self, point: str, number: str, fstype: str, source: str) -> None:
        self.mounts.append(f"30 1 {number} / {point} rw shared:1 - {fstype} {source} rw")
        self.write("proc/self/mountinfo", "\n".join(self.mounts))

    def gather(self, **changes: Any) -> tuple[dict[str, Any], list[str]]:
        host = Host(
            run=lambda argv: Result(0, "amd64\n"),
            root=self.root,
            machine=lambda: "x86_64",
            statvfs=lambda path: SimpleNamespace(f_bavail=1000, f_frsize=4096),
        )
        return gather(host._replace(**changes))

    def essential(self) -> set[str]:
        return set(self.gather()[0]["essential_modules"])
