# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kernel modules a host cannot boot or be reached without.

`lsmod` alone is not enough: a driver that is not loaded just now (a keyboard behind a switch, the
second network port) would be missing from a kernel reduced to what is loaded. So the devices that
exist are asked: what drives them, and what else could. A driver that is built in is in no list of
loaded modules and mostly has no link to a module; another kernel, whose configuration comes from
another host, may have it as a module or not at all. So it counts by the names that the kernel's
list of what is built in has for it.

Bounded on purpose: disks, network, keyboard and the buses in between, and the file systems that are
mounted; no graphics, no sound.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import MODULE

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
# They show the kernel itself and hold nobody's files; systemd mounts those that there are.
_KERNEL_VIEWS = ("bpf", "debugfs", "pstore", "securityfs", "tracefs")
# How the UUID of a device-mapper device starts; the first one counts.
_DM_MODULES = {
    "CRYPT-VERITY": ("dm_verity",),
    "CRYPT-INTEGRITY": ("dm_integrity",),
    "CRYPT": ("dm_crypt",),
    "mpath": ("dm_multipath",),
}
# What LVM calls the parts of a volume that is more than a piece of a disk.
_LVM_PARTS = {
    re.compile(r"_r(image|meta)_\d+$"): ("dm_raid",),
    re.compile(r"_m(image_\d+|log)$"): ("dm_mirror",),
    re.compile(r"_t(data|meta)$"): ("dm_thin_pool",),
    re.compile(r"_c(data|meta|orig)$|_cpool$|_cvol$"): ("dm_cache", "dm_cache_smq"),
    re.compile(r"-cow$"): ("dm_snapshot",),
    re.compile(r"_wcorig$"): ("dm_writecache",),
    re.compile(r"_iorig$"): ("dm_integrity",),
    re.compile(r"_v(data|pool\d*)$"): ("dm_vdo",),
}
# Asked for by name, of those that the host has.
_PATH_SELECTORS = ("dm_service_time", "dm_round_robin", "dm_queue_length")
_RAID_LEVELS = {
    **{level: "raid456" for level in ("raid4", "raid5", "raid6")},
    **{level: level for level in ("linear", "raid0", "raid1", "raid10", "multipath", "faulty")},
}
# Block devices without a driver in sysfs, by the start of their names.
_BLOCK_MODULES = {"loop": "loop", "ram": "brd", "zram": "zram", "nbd": "nbd", "drbd": "drbd"}
_BLOCK_NAME = re.compile(r"([a-z]+)\d+")
# Network devices made of others, as the kernel calls their type.
_NET_KINDS = ("bond", "bridge", "vlan")
# Drivers whose name is not their module's, on hosts with PCI or none.
_DRIVERS = {
    **{"sd": "sd_mod", "sr": "sr_mod", "mmcblk": "mmc_block", "nvme-subsystem": "nvme_core"},
    **{"vbd": "xen_blkfront", "vif": "xen_netfront", "vkbd": "xen_kbdfront"},
    **{"xhci_hcd": "xhci_pci", "xhci-hcd": "xhci_plat_hcd", "usb": "usbcore", "hub": "usbcore"},
    **{"inia100": "a100u2w", "megaraid": "megaraid_mbox", "megaraid_legacy": "megaraid"},
    **{"stmmaceth": "stmmac_pci", "intel-eth-pci": "dwmac_intel", "sfc_ef100": "sfc"},
    **{"hme": "sunhme", "gem": "sungem", "dnet": "jme", "ksz884xp": "ksz884x"},
    **{"nfp_netvf": "nfp", "storvsc_host": "hv_storvsc", "PMC MaxRAID": "pmcraid"},
    **{f"mlxsw_spectrum{number}": "mlxsw_spectrum" for number in (2, 3, 4)},
}
_PLATFORM = ("i8042", "xhci", "ehci", "ohci", "dwc3")
_WILD = re.compile(r"[*?\[]")
_DEVICE = re.compile(r"[0-9]+:[0-9]+")
_ALGORITHM = re.compile(r"[a-z0-9][a-z0-9_.-]*")
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
    """What one kernel release has, loadable or built in, and what each is for and needs."""

    def __init__(self, directory: Path) -> None:
        self._aliases: list[tuple[str, str, str]] = []  # literal start, pattern, module
        self._needs: dict[str, set[str]] = {}
        self._soft: dict[str, set[str]] = {}  # names as they are written, or aliases
        self._builtin = {_module_of(line) for line in lines(read(directory / "modules.builtin"))}
        for line in lines(read(directory / "modules.alias")):
            found = words(line)
            if len(found) == 3 and found[0] == "alias":
                self._add_alias(found[1], found[2])
        for line in lines(read(directory / "modules.dep")):
            name, _mark, needs = line.partition(":")
            self._needs.setdefault(_module_of(name), set()).update(map(_module_of, words(needs)))
        for line in lines(read(directory / "modules.softdep")):
            found = words(line)
            if len(found) > 2 and found[0] == "softdep":
                self._add_soft(found[1], found[2:])
        # Of what is built in: "name.key=value", each with a NUL behind it; depmod makes
        # modules.builtin.alias.bin from it. Few kernels list a driver's devices there.
        for record in read(directory / "modules.builtin.modinfo").split("\0"):
            key, _mark, value = record.partition("=")
            name, _mark, key = key.partition(".")
            if key == "alias":
                self._add_alias(value, name)
            elif key == "softdep":
                self._add_soft(name, words(value))

    def _add_alias(self, pattern: str, module: str) -> None:
        self._aliases.append((_WILD.split(pattern, maxsplit=1)[0], pattern, canonical(module)))

    def _add_soft(self, module: str, needs: list[str]) -> None:
        needed = {word for word in needs if not word.endswith(":")}
        self._soft.setdefault(canonical(module), set()).update(needed)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the kernel, as of one that has no modules at all."""
        return not (self._needs or self._builtin or self._aliases)

    def resolve(self, modalias: str) -> set[str]:
        """The modules that say they drive such a device."""
        return {
            module
            for start, pattern, module in self._aliases
            # Comparing the start first spares most of some 20 000 patterns.
            if modalias.startswith(start) and _matches(modalias, pattern)
        }

    def knows(self, module: str) -> bool:
        """Whether there is such a module, loadable or built in."""
        return module in self._needs or module in self._builtin

    def known(self, modules: Iterable[str]) -> set[str]:
        """Those of the modules that there are; all of them if nothing is known of the kernel."""
        return {module for module in modules if self.is_empty or self.knows(module)}

    def of_driver(self, name: str, bus: str = "") -> set[str]:
        """The module of a driver without a link to one, by its name: it is built in."""
        plain = _DRIVERS.get(name) or canonical(name)
        names = [plain, plain.lower(), *([f"hid_{plain}"] if bus == "hid" else [])]
        return self.known(names[:1] if self.is_empty else names)

    def closure(self, modules: Iterable[str]) -> set[str]:
        """The modules and all that they need."""
        found: set[str] = set()
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting.extend(self._needs.get(module, ()))
                for word in self._soft.get(module, ()):
                    name = canonical(word)
                    waiting.extend([name] if self.knows(name) else self.resolve(word))
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

    def bound(self, device: Path, index: ModuleIndex) -> set[str]:
        """The modules of the driver at work, and of what it needs at this device."""
        found = set()
        driver = device / "driver"
        if is_there(driver / "module"):
            found.add(canonical(_resolved(driver / "module").name))
        elif is_there(driver):
            path = _resolved(driver)  # bus/<bus>/drivers/<name>
            found |= index.of_driver(path.name, path.parent.parent.name)
        # A SCSI host of no device of its own, such as iSCSI's, names its driver here.
        adapter = read(device / "scsi_host" / device.name / "proc_name").strip()
        if adapter:
            found |= index.of_driver(adapter)
        handler = read(device / "dh_state").strip()
        if handler:
            found |= index.known([f"scsi_dh_{handler}"])
        return found

    def others(self, index: ModuleIndex) -> set[str]:
        """What is in use off all buses: network devices made of others, NVMe's paths."""
        found = set()
        for net in self.entries("class/net"):
            for kind in _NET_KINDS:
                if f"DEVTYPE={kind}" in lines(read(net / "uevent")):
                    found |= index.resolve(f"rtnl-link-{kind}")
        for controller in self.entries("class/nvme"):
            transport = read(controller / "transport").strip()
            found |= index.known([f"nvme_{transport}"] if transport else [])
        return found


def _is_virtio_wanted(device: Path) -> bool:
    kind = read(device / "device").strip()
    # As sysfs writes it: 0x0002. What cannot be read may be a disk.
    return not _HEXADECIMAL.fullmatch(kind) or int(kind, 16) not in _VIRTIO_SKIPPED


def _is_disk(block: Path) -> bool:
    return not _VIRTUAL_DISKS.match(block.name)


# Directory below sysfs -> which of its devices count.
_WANTED: dict[str, Callable[[Path], bool]] = {
    "class/block": _is_disk,
    "class/net": lambda net: is_there(net / "device"),
    "bus/pci/devices": lambda pci: bool(_PCI_CLASS.match(read(pci / "class"))),
    "bus/usb/devices": lambda usb: read(usb / "bInterfaceClass").strip() in _USB_CLASSES,
    "bus/virtio/devices": _is_virtio_wanted,
    "bus/hid/devices": lambda hid: True,
    "bus/serio/devices": lambda serio: True,
    "bus/platform/devices": lambda device: device.name.startswith(_PLATFORM),
}


def layer_modules(block: Path, index: ModuleIndex) -> set[str]:
    """What a block device needs that is made of others or of memory."""
    found = set()
    uuid = read(block / "dm" / "uuid").strip()
    if uuid:
        name = read(block / "dm" / "name").strip()
        found.add("dm_mod")
        found.update(next((m for start, m in _DM_MODULES.items() if uuid.startswith(start)), ()))
        for part, modules in _LVM_PARTS.items():
            if uuid.startswith("LVM-") and part.search(name):
                found.update(modules)
        if "dm_multipath" in found:
            found |= index.known(_PATH_SELECTORS)
    level = read(block / "md" / "level").strip()
    if level:
        found.add("md_mod")
        found |= {_RAID_LEVELS[level]} if level in _RAID_LEVELS else set()
    if (block / "bcache").is_dir():
        found.add("bcache")
    match = _BLOCK_NAME.match(block.name)
    if match and match[1] in _BLOCK_MODULES:
        found |= index.known([_BLOCK_MODULES[match[1]]])
    return found


def cipher_modules(crypto: str, index: ModuleIndex) -> set[str]:
    """The algorithms of /proc/crypto that something uses, dm-crypt above all."""
    found: set[str] = set()
    for block in crypto.split("\n\n"):
        fields = {
            key.strip(): value.strip()
            for key, _m, value in (line.partition(":") for line in lines(block))
        }
        # Each has one reference for being there.
        if fields.get("refcnt", "1") == "1":
            continue
        for name in _ALGORITHM.findall(fields.get("name", "")):
            found |= index.resolve(f"crypto-{name}")
            if index.is_empty:
                found |= {canonical(name), f"{canonical(name)}_generic"}
    return found


def mounted(
    mounts: dict[str, Mount], devices: Devices, index: ModuleIndex
) -> tuple[set[str], list[Path]]:
    """The modules of the file systems in use, and the block devices below them."""
    found: set[str] = set()
    layers: list[Path] = []
    resolved: dict[str, set[str]] = {}
    for mount in sorted(set(mounts.values())):
        # Whoever mounts by FUSE names the source, and the type's end.
        fstype = mount.fstype.partition(".")[0]
        if fstype in _KERNEL_VIEWS:
            continue
        if fstype not in resolved:
            resolved[fstype] = index.resolve(f"fs-{fstype}")
            found |= resolved[fstype]
        # Number 0 is no device; btrfs and the like have such numbers, and name one.
        is_on_disk = not mount.device.startswith("0:") or mount.source.startswith("/dev/")
        block = devices.block(mount) if is_on_disk and fstype not in ("fuse", "autofs") else None
        if block is not None:
            found |= index.known(_FILESYSTEM_HELPERS.get(fstype, ()))
            layers += devices.stack(block)
            if not resolved[fstype] and _is_disk(block):
                found.add(canonical(fstype))
    return found, layers


def essential_modules(
    sysfs: Path, mounts: dict[str, Mount], index: ModuleIndex, crypto: str = ""
) -> list[str]:
    """Sorted names of the modules that must be in a kernel for this host.

    Loadable in the running kernel or built into it. `crypto`: the text of /proc/crypto.
    """
    devices = Devices(sysfs)
    found, layers = mounted(mounts, devices, index)
    found |= devices.others(index)
    asked = [*devices.wanted(), *layers]
    for block in sorted(
        {*layers, *filter(_is_disk, map(_resolved, devices.entries("class/block")))}
    ):
        found |= layer_modules(block, index)
    if "dm_crypt" in found:
        found |= cipher_modules(crypto, index)

    seen: set[Path] = set()
    aliases: set[str] = set()
    for device in asked:
        for link in devices.chain(device):
            if link in seen:
                continue
            seen.add(link)
            found |= devices.bound(link, index)
            aliases.add(read(link / "modalias").strip())
    for alias in sorted(aliases - {""}):
        found |= index.resolve(alias)
    # For one name that none has the control node would refuse all that the host says.
    return sorted(filter(MODULE.fullmatch, index.closure(found)))
