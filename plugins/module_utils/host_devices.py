# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kernel modules a host cannot boot or be reached without.

`lsmod` alone is not enough: a driver that is not loaded just now (a keyboard behind a switch, the
second network port) would be missing from a kernel reduced to what is loaded. So the devices that
exist are asked: what drives them, and what else could.

Bounded on purpose: disks, network, keyboard and the buses in between; no graphics, no sound.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils.bounded_read import lines, words

# PCI class bytes: mass storage, network, and USB host controllers among the serial buses.
_PCI_CLASS = re.compile(r"0x(01|02|0c03)")
# Virtio device types that are not needed to boot or to be reached: GPU, sound.
_VIRTIO_SKIPPED = {0x10, 0x19}
# USB interface classes: HID, mass storage, hub.
_USB_CLASSES = {"03", "08", "09"}
# Block devices made of nothing but memory or files.
_VIRTUAL_DISKS = re.compile(r"(loop|ram|zram|nbd)\d")
# Asked for by name at mount time, so no dependency says that vfat needs them.
_FILESYSTEM_HELPERS = {
    "vfat": ("nls_cp437", "nls_iso8859_1", "nls_ascii", "nls_utf8"),
    "ext4": ("crc32c_generic", "crc32c_intel"),
    "btrfs": ("crc32c_generic", "crc32c_intel"),
}
_DM_MODULES = {"CRYPT": "dm_crypt", "LVM": "dm_mod", "mpath": "dm_multipath"}
_PLATFORM = ("i8042", "xhci", "ehci", "ohci", "dwc3")
_WILD = re.compile(r"[*?\[]")
_DEVICE = re.compile(r"[0-9]+:[0-9]+")
_HEXADECIMAL = re.compile(r"(?:0x)?[0-9a-f]{1,8}")


class Mount(NamedTuple):
    """What is mounted at a directory."""

    device: str  # major:minor
    fstype: str
    source: str


def canonical(name: str) -> str:
    """A module's name as the kernel writes it."""
    return name.replace("-", "_")


def read(path: Path) -> str:
    """The text of a file, empty if it cannot be read (sysfs attributes may refuse) or is no file.

    What is larger than bounded_read.TEXT counts as what cannot be read.
    """
    try:
        return bounded_read.text(path)
    except OSError:
        return ""


def is_there(path: Path) -> bool:
    """Path.exists, without the errors that it has for some names."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _resolved(path: Path) -> Path:
    """Path.resolve; links that go round in a circle lead nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def parse_mounts(mountinfo: str) -> dict[str, Mount]:
    """Mount points of /proc/self/mountinfo; of several on one directory the last one counts."""
    mounts = {}
    # Whoever mounts something of his own, by FUSE, names the directory and the source. The kernel
    # escapes \n, tab and space in them, no other white space.
    for line in lines(mountinfo):
        left, _mark, right = line.partition(" - ")
        fields, more = left.split(" "), right.split(" ")
        if len(fields) > 4 and len(more) > 1 and _DEVICE.fullmatch(fields[2]):
            mounts[fields[4]] = Mount(fields[2], more[0], more[1])
    return mounts


class ModuleIndex:
    """modules.alias, modules.dep and modules.softdep of one kernel release."""

    def __init__(self, directory: Path) -> None:
        self._aliases: list[tuple[str, str, str]] = []  # literal start, pattern, module
        self._needs: dict[str, set[str]] = {}
        for line in lines(read(directory / "modules.alias")):
            found = words(line)
            if len(found) == 3 and found[0] == "alias":
                pattern = found[1]
                self._aliases.append(
                    (_WILD.split(pattern, maxsplit=1)[0], pattern, canonical(found[2]))
                )
        for line in lines(read(directory / "modules.dep")):
            name, _mark, needs = line.partition(":")
            self._needs.setdefault(_module_of(name), set()).update(map(_module_of, words(needs)))
        for line in lines(read(directory / "modules.softdep")):
            found = words(line)
            if len(found) > 2 and found[0] == "softdep":
                needed = {canonical(word) for word in found[2:] if not word.endswith(":")}
                self._needs.setdefault(canonical(found[1]), set()).update(needed)

    def resolve(self, modalias: str) -> set[str]:
        """The modules that say they drive such a device."""
        return {
            module
            for start, pattern, module in self._aliases
            # Comparing the start first spares most of some 20 000 patterns.
            if modalias.startswith(start) and _matches(modalias, pattern)
        }

    def knows(self, module: str) -> bool:
        return module in self._needs

    def closure(self, modules: Iterable[str]) -> set[str]:
        """The modules and all that they need."""
        found: set[str] = set()
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting.extend(self._needs.get(module, ()))
        return found


def _matches(modalias: str, pattern: str) -> bool:
    try:
        return fnmatch.fnmatchcase(modalias, pattern)
    except re.error:  # of a range such as [z-a], in some releases of Python
        return False


def _module_of(path: str) -> str:
    return canonical(path.rsplit("/", 1)[-1].split(".ko", 1)[0])


class Devices:
    """The devices of a host, as sysfs shows them."""

    def __init__(self, sysfs: Path) -> None:
        self.sysfs = sysfs
        self._top = _resolved(sysfs / "devices")

    def chain(self, device: Path) -> Iterator[Path]:
        """A device and all that it hangs on, outwards."""
        device = _resolved(device)
        while self._top in device.parents:
            yield device
            device = device.parent

    def entries(self, directory: str) -> list[Path]:
        return _listed(self.sysfs / directory)

    def block(self, mount: Mount) -> Path | None:
        """The block device of a mount; btrfs and the like have no number of their own."""
        for candidate in (
            self.sysfs / "dev" / "block" / mount.device,
            self.sysfs / "class" / "block" / mount.source.rsplit("/", 1)[-1],
        ):
            if is_there(candidate):
                return _resolved(candidate)
        for entry in self.entries("class/block"):
            if read(entry / "dm" / "name").strip() == mount.source.rsplit("/", 1)[-1]:
                return _resolved(entry)
        return None

    def stack(self, block: Path) -> Iterator[Path]:
        """A block device and those that it is made of (device mapper, md), a disk for a partition.

        A partition's directory is below its disk's, so `chain` finds the disk.
        """
        waiting, seen = [block], set()
        while waiting:
            layer = waiting.pop()
            if layer not in seen:
                seen.add(layer)
                yield layer
                for holder in (layer, layer.parent):
                    waiting += map(_resolved, _listed(holder / "slaves"))

    def wanted(self) -> Iterator[Path]:
        """Disks, network, keyboard, and the controllers that these may hang on."""
        for directory, is_wanted in _WANTED.items():
            yield from filter(is_wanted, self.entries(directory))

    def bound(self, device: Path) -> str | None:
        """The module of the driver at work; None if there is none or it is built in."""
        module = device / "driver" / "module"
        return canonical(_resolved(module).name) if is_there(module) else None


def _is_virtio_wanted(device: Path) -> bool:
    kind = read(device / "device").strip()
    # As sysfs writes it: 0x0002. What cannot be read may be a disk.
    return not _HEXADECIMAL.fullmatch(kind) or int(kind, 16) not in _VIRTIO_SKIPPED


# Directory below sysfs -> which of its devices count.
_WANTED: dict[str, Callable[[Path], bool]] = {
    "class/block": lambda block: not _VIRTUAL_DISKS.match(block.name),
    "class/net": lambda net: is_there(net / "device"),
    "bus/pci/devices": lambda pci: bool(_PCI_CLASS.match(read(pci / "class"))),
    "bus/usb/devices": lambda usb: read(usb / "bInterfaceClass").strip() in _USB_CLASSES,
    "bus/virtio/devices": _is_virtio_wanted,
    "bus/hid/devices": lambda hid: True,
    "bus/serio/devices": lambda serio: True,
    "bus/platform/devices": lambda device: device.name.startswith(_PLATFORM),
}


def layer_modules(block: Path) -> set[str]:
    """What a device-mapper or md device needs besides the drivers of its disks."""
    found = set()
    uuid = read(block / "dm" / "uuid").strip()
    if uuid:
        found.add("dm_mod")
        found.update(m for start, m in _DM_MODULES.items() if uuid.startswith(start))
    level = read(block / "md" / "level").strip()
    if level:
        found.update(("md_mod", "raid456" if level in ("raid4", "raid5", "raid6") else level))
    return found


def essential_modules(sysfs: Path, mounts: dict[str, Mount], index: ModuleIndex) -> list[str]:
    """Sorted names of the modules that must be in a kernel for this host."""
    devices = Devices(sysfs)
    found: set[str] = set()
    asked = list(devices.wanted())
    for point in ("/", "/usr", "/boot", "/boot/efi", "/efi"):
        mount = mounts.get(point)
        if mount is None or mount.fstype == "autofs":
            continue
        block = devices.block(mount)
        if block is not None:
            found.add(canonical(mount.fstype))
            found |= index.resolve(f"fs-{mount.fstype}")
            helpers = _FILESYSTEM_HELPERS.get(mount.fstype, ())
            found |= {helper for helper in helpers if index.knows(helper)}
            for layer in devices.stack(block):
                asked.append(layer)
                found |= layer_modules(layer)

    seen: set[Path] = set()
    aliases: set[str] = set()
    for device in asked:
        for link in devices.chain(device):
            if link in seen:
                continue
            seen.add(link)
            driver = devices.bound(link)
            if driver:
                found.add(driver)
            aliases.add(read(link / "modalias").strip())
    for alias in aliases - {""}:
        found |= index.resolve(alias)
    return sorted(index.closure(found))
