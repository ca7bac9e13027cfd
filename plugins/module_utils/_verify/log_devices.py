# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which device a message of the kernel names, as it is named in any other boot, too.

Names such as `sda`, `nvme0`, `ata5` and `eth0` are given in the order in which drivers find
devices, which is another one in another boot or kernel. What sysfs says of a device stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

# Of an identity: longer than any WWID, UUID or path of sysfs that is of use.
_LENGTH = 120
_BYTES = 1 << 12
# The file names of a disk's identity, the best one first; of loop devices the file behind them.
_DISK_FILES = (
    *("dm/name", "wwid", "device/wwid", "serial", "device/serial", "md/uuid"),
    "loop/backing_file",
)
_PCI = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
# Channel, target and unit of a SCSI device; its host has a number that changes.
_SCSI = re.compile(r"\d{1,6}:(\d{1,6}:\d{1,6}:\d{1,20})")
_ATA = re.compile(r"(ata\d{1,10})(\.\d{1,4})?")


def _value(path: Path) -> str:
    try:
        text = bounded_read.text(path, _BYTES)
    except (OSError, ValueError):
        return ""
    return " ".join(text.split())


def _directory(root: Path, of: str, name: str) -> Optional[Path]:
    """Where sysfs has the device, links followed; None if it does not."""
    # In sysfs the slash of a name is an exclamation mark.
    path = root / "sys/class" / of / name.replace("/", "!")
    try:
        return path.resolve(strict=True) if name not in ("", ".", "..") else None
    except (OSError, RuntimeError, ValueError):
        return None


def _pci(path: Path) -> str:
    """The address of the nearest PCI device; empty if the device hangs on none."""
    return next((part for part in reversed(path.parts) if _PCI.fullmatch(part)), "")


def _disk(root: Path, name: str) -> str:
    path = _directory(root, "block", name)
    if not path:
        return ""
    partition = _value(path / "partition")
    disk = path.parent if partition else path
    identity = next(filter(None, (_value(disk / one) for one in _DISK_FILES)), "")
    if not identity and _pci(disk):
        units = [found[1] for found in map(_SCSI.fullmatch, disk.parts) if found]
        identity = " ".join([_pci(disk), *units[-1:]])
    if not identity:
        return ""
    return f"{identity} partition {partition}" if partition else identity


def _ata(root: Path, name: str) -> str:
    found = _ATA.fullmatch(name)
    path = _directory(root, "ata_port", found[1]) if found else None
    if not (found and path and _pci(path)):
        return ""
    return f"{_pci(path)} port {_value(path / 'port_no')}{found[2] or ''}"


def _nvme(root: Path, name: str) -> str:
    path = _directory(root, "nvme", name)
    return (_value(path / "serial") or _value(path / "address")) if path else ""


def _link(root: Path, name: str) -> str:
    path = _directory(root, "net", name)
    return _pci(path) if path else ""


_KINDS: Mapping[str, Callable[[Path, str], str]] = {
    "disk": _disk,
    "ata": _ata,
    "nvme": _nvme,
    "link": _link,
}


def identity(kind: str, name: str, root: Path = Path("/")) -> str:
    """What a device is, for a group of a rule's pattern; its name if sysfs does not have it."""
    find = _KINDS.get(kind)
    return ((find(root, name) if find else "") or name)[:_LENGTH]
