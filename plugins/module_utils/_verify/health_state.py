# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What works on a host: devices, mounts, network, sockets and modules, as /proc and /sys show it.

Names are those that stay the same from boot to boot: an address on a bus, a MAC address, a serial
number. What comes and goes by itself (containers, sessions, ports that are given by chance) is left
out, so that a difference means something.
"""

from __future__ import annotations

import ctypes
import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._host import modules_load
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import (
    canonical,
    is_there,
    read,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.dkms import built_for


class Item(NamedTuple):
    """One thing on a host."""

    #: What a report shows of it.
    text: str
    works: bool = True
    #: Whether a host that had it working has to have it again.
    needed: bool = True
    #: Whether it may be absent: what is pulled out, or ends by itself.
    may_go: bool = False


Items = dict[str, Item]

# Buses whose addresses name the same device in each boot. Those of platform and I2C devices do not,
# but for what a device tree names.
BUSES = ("pci", "usb", "virtio", "hid", "serio", "xen", "vmbus", "mmc", "ccw", "platform")
_OF_A_TREE = re.compile(r"[0-9a-f]{4,16}\.[\w-]+")
# Programs bind these to devices, at any time.
_BOUND_BY_PROGRAMS = ("usbfs", "vfio-pci", "pci-stub", "pciback", "uio_pci_generic")
# They work without a driver.
_BRIDGES = "0x06"

# Mounts, for a while: of sessions, snaps, and the kernel itself.
_EPHEMERAL_MOUNT = re.compile(r"/(?:proc|sys|dev|run|snap|var/snap|var/lib/snapd)(?:/|$)")
# The same, unless each boot mounts it: of containers, and of what is plugged in.
_USUALLY_EPHEMERAL = re.compile(
    r"/(?:media|var/lib/(?:docker|containers|containerd|kubelet|lxc|lxd|machines))(?:/|$)"
)
# ZFS mounts one as soon as somebody looks into it.
_SNAPSHOT = "/.zfs/snapshot/"
_MOUNT_UNITS = (
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "run/systemd/generator.late",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_WHERE = re.compile(r"^Where=(/.{0,4000})$", re.MULTILINE)
_OCTAL = re.compile(r"\\([0-7]{3})")
#: At the end of the text of a mount.
READ_ONLY = ", read-only"
# In the third field of /etc/crypttab: somebody types the passphrase.
_NO_KEY_FILE = ("", "none", "-")

_EPHEMERAL_LINK = re.compile(
    r"lo$|veth|docker|br-[0-9a-f]{12}$|vnet\d|macvtap|tap|cali|cilium|lxc|flannel|cni|kube|nodelocal"
    r"|podman|ifb|dummy|sit\d|ip6tnl|gre|tunl|erspan"
)
_NO_MAC = re.compile(r"[0:]*")
# ARPHRD_NONE and ARPHRD_PPP: a tunnel that somebody opens.
_TUNNELS = ("65534", "512")
_RANDOM_MAC = "1"

_UP, _REJECT, _LOCAL = 0x1, 0x200, 0x80000000
_TEMPORARY, _TENTATIVE = 0x01, 0x40
_LISTEN, _UNCONNECTED = "0A", "07"
_NAME_SERVER = re.compile(r"nameserver[ \t]+(\S{1,100})")
# The ports that a program gets which asks for any below 1024, without those that have an owner:
# some are not in every /etc/services.
_RESERVED = range(600, 1024)
_OWNED = {623, 631, 636, 646, 749, 783, 853, 860, 873, 953, 989, 990, 992, 993, 994, 995}
_REGISTERED = re.compile(r"\S{1,100}[ \t]+([0-9]{1,5})/(tcp|udp)(?:[ \t]|$)")
_FIRST_FREE = 1024
# They are open while an address is asked for.
_DHCP = {68, 546, 547}
# Displays that sshd forwards.
_FORWARDED = range(6010, 6064)
_USUAL_RANGE = range(32768, 61000)
_VIRTUAL_DISK = re.compile(r"(?:loop|ram|zram|nbd|fd|sr)\d")
_MODULE_DIRECTORIES = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
_HEX = re.compile(r"[0-9A-Fa-f]{1,32}")
_UNSYNCHRONISED = 5  # adjtimex(2)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _value(path: Path) -> str:
    return read(path).strip()


def _hexadecimal(text: str) -> int:
    """A number of /proc/net; 0 for anything else."""
    return int(text, 16) if _HEX.fullmatch(text) else 0


def _put(items: Items, name: str, item: Item) -> None:
    """Under a name of its own, if the name is taken."""
    number, free = 1, name
    while free in items:
        number += 1
        free = f"{name} #{number}"
    items[free] = item


# --- devices ------------------------------------------------------------------------------------


def _driver(device: Path) -> str:
    try:
        return (device / "driver").readlink().name
    except OSError:
        return ""


def _usb_address(device: Path) -> str:
    """By the controller: the kernel counts USB buses in the order in which it finds them."""
    for parent in device.parents:
        if re.fullmatch(r"usb\d+", parent.name):
            hubs = [one.name for one in _listed(parent.parent) if re.fullmatch(r"usb\d+", one.name)]
            order = sorted(hubs, key=lambda name: int(name[3:]))
            number = order.index(parent.name) if parent.name in order else 0
            port = device.name.partition("-")[2]
            product = f"{_value(device.parent / 'idVendor')}:{_value(device.parent / 'idProduct')}"
            return f"{parent.parent.name} hub {number} port {port} ({product})"
    return device.name


# What names a device of a bus in each boot, where that is not its name; empty if nothing does.
_ADDRESSES: dict[str, Callable[[Path], str]] = {
    "usb": lambda device: _usb_address(device.resolve()) if ":" in device.name else "",
    "virtio": lambda device: device.resolve().parent.name,
    "serio": lambda device: _value(device / "description"),
    "hid": lambda device: device.name.rpartition(".")[0],
    "mmc": lambda device: device.name.partition(":")[2],
    "platform": lambda device: device.name if _OF_A_TREE.fullmatch(device.name) else "",
}


def _address(bus: str, device: Path) -> str:
    try:
        return _ADDRESSES[bus](device) if bus in _ADDRESSES else device.name
    except (OSError, RuntimeError):  # a link that leads round in a circle
        return ""


def devices(root: Path) -> Items:
    """Devices and their drivers."""
    found: Items = {}
    for bus in BUSES:
        for device in _listed(root / "sys/bus" / bus / "devices"):
            address = _address(bus, device)
            if not address:
                continue
            driver = _driver(device)
            needed = driver not in _BOUND_BY_PROGRAMS and not is_there(device / "physfn")
            if bus == "pci":
                needed = needed and not _value(device / "class").startswith(_BRIDGES)
            removable = bus in ("usb", "hid", "serio", "mmc")
            removable = removable or _value(device / "removable") == "removable"
            item = Item(driver or "no driver", bool(driver), needed, removable)
            _put(found, f"{bus} {address}", item)
    return found


# --- mounts and disks ---------------------------------------------------------------------------


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8) & 0xFF), text)


def _permanent(root: Path) -> tuple[set[str], set[str]]:
    """Directories on which something is mounted at each boot, and others that a unit is for."""
    found = {"/"}
    others: set[str] = set()
    for line in lines(read(root / "etc/fstab")):
        fields = words(line)
        if len(fields) > 2 and not fields[0].startswith("#") and fields[1].startswith("/"):
            options = fields[3].split(",") if len(fields) > 3 else []
            if not {"noauto", "x-systemd.automount"} & {*options}:
                found.add(_unescaped(fields[1]).rstrip("/") or "/")
    units = [unit for directory in _MOUNT_UNITS for unit in _listed(root / directory)]
    # As `systemctl enable` and generators leave it, those for `noauto` do not.
    enabled = {
        unit.name
        for directory in units
        if directory.name.endswith((".wants", ".requires"))
        for unit in _listed(directory)
    }
    for unit in units:
        if unit.name.endswith(".mount"):
            where = {match.strip() for match in _WHERE.findall(read(unit))}
            (found if unit.name in enabled else others).update(where)
    return found, others


def _unlocked_by_hand(root: Path) -> set[str]:
    """The encrypted volumes that no boot opens by itself."""
    found = set()
    for line in lines(read(root / "etc/crypttab")):
        name, _source, key, options, *_ = [*words(line), "", "", "", ""]
        if not name or name.startswith("#"):
            continue
        if key in _NO_KEY_FILE or "noauto" in options.split(","):
            found.add(f"/dev/mapper/{name}")
    return found


def is_read_only_now(now: str, before: str) -> bool:
    """Whether a mount could be written before, by the texts of `mounts`."""
    return now.endswith(READ_ONLY) and not before.endswith(READ_ONLY)


def mounts(root: Path) -> Optional[Items]:
    """What is mounted: the type of the file system, its source, and whether it can be written.

    Less than at each boot, and only shown, is a disabled unit's, a pool's of ZFS, and that of a
    volume of /etc/crypttab without a key file: somebody may have to unlock it by hand.
    """
    by_hand = _unlocked_by_hand(root)
    text = read(root / "proc/1/mountinfo") or read(root / "proc/self/mountinfo")
    permanent, others = _permanent(root)
    every: dict[str, tuple[str, str, bool]] = {}
    on_demand: set[str] = set()
    for line in lines(text):
        left, _mark, right = line.partition(" - ")
        fields, more = left.split(" "), right.split(" ")
        if len(fields) < 6 or len(more) < 3:
            continue
        target = _unescaped(fields[4])
        if more[0] == "autofs":
            on_demand.add(target)
            continue
        writable = "ro" not in fields[5].split(",") and "ro" not in more[2].split(",")
        every[target] = (more[0], _unescaped(more[1]), writable)
    found: Items = {}
    for target, (fstype, source, writable) in every.items():
        if _SNAPSHOT in f"{target}/":
            continue
        wanted = target in permanent or target in others or fstype == "zfs"
        asked = any(target == one or target.startswith(f"{one}/") for one in on_demand)
        ephemeral = _EPHEMERAL_MOUNT.match(target) or (
            target not in permanent and _USUALLY_EPHEMERAL.match(target)
        )
        if wanted and not asked and not ephemeral:
            text = f"{fstype} of {source}{'' if writable else READ_ONLY}"
            needed = target == "/" or (target in permanent and source not in by_hand)
            found[target] = Item(text, needed=needed)
    return found or None


def _disk_name(root: Path, source: str) -> str:
    """That of a volume; its number is given by chance."""
    name = source.rpartition("/")[2]
    volume = _value(root / "sys/class/block" / name / "dm/name")
    return f"/dev/mapper/{volume}" if volume else source


def swap(root: Path) -> Items:
    """None in it without the file: the kernel cannot swap."""
    rows = [words(line) for line in lines(read(root / "proc/swaps"))[1:]]
    return {
        _disk_name(root, _unescaped(row[0])): Item(f"{row[1]}, {row[2]} KiB")
        for row in rows
        if len(row) > 2
    }


def disks(root: Path) -> Items:
    """Block devices by what they are, not by the letter that they get."""
    found: Items = {}
    for disk in _listed(root / "sys/class/block"):
        if _VIRTUAL_DISK.match(disk.name) or is_there(disk / "partition"):
            continue
        identity = next(
            filter(
                None,
                (
                    _value(disk / "dm/name"),
                    _value(disk / "wwid"),
                    _value(disk / "device/wwid"),
                    _value(disk / "serial"),
                    _value(disk / "md/uuid"),
                ),
            ),
            disk.name,
        )
        size = _value(disk / "size")
        text = f"{int(size) // 2048} MiB" if re.fullmatch(r"[0-9]{1,18}", size) else "unknown size"
        _put(found, " ".join(identity.split()), Item(text))
    return found


# --- network ------------------------------------------------------------------------------------


class Link(NamedTuple):
    """A network device."""

    #: Its MAC address if it is hardware with one of its own, or else its name.
    identity: str
    label: str
    up: bool
    #: Whether a boot makes it, and no person.
    permanent: bool


def _links(root: Path) -> dict[str, Link]:
    directories = [one for one in _listed(root / "sys/class/net") if (one / "address").is_file()]
    hardware = {}
    for one in directories:
        mac = _value(one / "address")
        own = is_there(one / "device") and not _NO_MAC.fullmatch(mac)
        if own and _value(one / "addr_assign_type") != _RANDOM_MAC:
            hardware[one.name] = mac
    macs = list(hardware.values())
    found = {}
    for one in directories:
        if _EPHEMERAL_LINK.match(one.name):
            continue
        mac = hardware.get(one.name, "")
        own = macs.count(mac) == 1
        state = _value(one / "operstate")
        up = state == "up" or (state == "unknown" and _value(one / "carrier") == "1")
        found[one.name] = Link(
            mac if own else one.name,
            f"{one.name} ({mac})" if own else one.name,
            up,
            _value(one / "type") not in _TUNNELS,
        )
    return found


def links(root: Path) -> Items:
    return {
        link.identity: Item(f"{name}, {'up' if link.up else 'down'}", link.up, link.permanent)
        for name, link in _links(root).items()
    }


def _address4(text: str) -> str:
    """As /proc/net/route and /proc/net/tcp write it, in the host's own order of bytes."""
    return str(ipaddress.IPv4Address((_hexadecimal(text) & 0xFFFFFFFF).to_bytes(4, "little")))


class Route(NamedTuple):
    family: str
    network: str
    length: int
    #: Empty for a network of the host's own.
    gateway: str
    link: str


def _routes(root: Path) -> Iterator[Route]:
    for line in lines(read(root / "proc/net/route"))[1:]:
        fields = words(line)
        if len(fields) < 8 or not fields[3].isalnum():
            continue
        flags = _hexadecimal(fields[3])
        if flags & _UP and not flags & _REJECT:
            length = bin(_hexadecimal(fields[7])).count("1")
            gateway = _address4(fields[2]) if _hexadecimal(fields[2]) else ""
            yield Route("IPv4", _address4(fields[1]), length, gateway, fields[0])
    for line in lines(read(root / "proc/net/ipv6_route")):
        fields = words(line)
        if len(fields) < 10 or not all(_HEX.fullmatch(one) for one in fields[:9]):
            continue
        flags, length = _hexadecimal(fields[8]), _hexadecimal(fields[1])
        network = ipaddress.IPv6Address(_hexadecimal(fields[0]))
        usual = not (network.is_multicast or network.is_link_local or length == 128)
        if usual and flags & _UP and not flags & (_REJECT | _LOCAL):
            hop = _hexadecimal(fields[4])
            gateway = str(ipaddress.IPv6Address(hop)) if hop else ""
            yield Route("IPv6", str(network), length, gateway, fields[9])


def _grouped(root: Path, *, default: bool) -> Items:
    known = _links(root)
    texts: dict[str, set[str]] = {}
    permanent: dict[str, bool] = {}
    for route in _routes(root):
        link = known.get(route.link)
        if link is None or (route.length == 0) != default:
            continue
        where = "" if default else f" {route.network}/{route.length}"
        name = f"{route.family}{where} through {link.identity}"
        via = f"by {route.gateway}" if route.gateway else "direct"
        texts.setdefault(name, set()).add(f"{via} on {link.label}")
        permanent[name] = link.permanent
    return {
        name: Item(", ".join(sorted(vias)), needed=permanent[name]) for name, vias in texts.items()
    }


def default_routes(root: Path) -> Optional[Items]:
    return _grouped(root, default=True) if is_there(root / "proc/net/route") else None


def routes(root: Path) -> Optional[Items]:
    return _grouped(root, default=False) if is_there(root / "proc/net/route") else None


def addresses(root: Path) -> Optional[Items]:
    """Without temporary ones, and those of links that come and go."""
    if not is_there(root / "proc/net/fib_trie"):
        return None
    own = [one for one in _routes(root) if one.family == "IPv4" and not one.gateway and one.length]
    known = _links(root)
    found: Items = {}
    last = ""
    for line in lines(read(root / "proc/net/fib_trie")):
        leaf = re.search(r"\|-- ([0-9.]{7,15})$", line)
        last = leaf[1] if leaf else last
        if line.strip() == "/32 host LOCAL" and last and not last.startswith("127."):
            link = _link_of(last, own)
            if not link or link in known:
                found[f"IPv4 {last}"] = Item("present")
    for line in lines(read(root / "proc/net/if_inet6")):
        fields = words(line)
        usual = len(fields) > 5 and fields[3] == "00" and fields[5] in known
        if usual and not _hexadecimal(fields[4]) & (_TEMPORARY | _TENTATIVE):
            address = ipaddress.IPv6Address(_hexadecimal(fields[0]))
            found[f"IPv6 {address}"] = Item("present")
    return found


def _link_of(address: str, own: list[Route]) -> str:
    try:
        one = ipaddress.IPv4Address(address)
    except ValueError:
        return ""
    fitting = [
        route
        for route in own
        if one in ipaddress.ip_network(f"{route.network}/{route.length}", strict=False)
    ]
    return max(fitting, key=lambda route: route.length).link if fitting else ""


def name_servers(root: Path) -> Items:
    text = read(root / "etc/resolv.conf")
    found = [match[1] for match in map(_NAME_SERVER.match, lines(text)) if match]
    if "127.0.0.53" in found:
        text = read(root / "run/systemd/resolve/resolv.conf")
        found += [match[1] for match in map(_NAME_SERVER.match, lines(text)) if match]
    return {name: Item("present") for name in found}


# --- sockets ------------------------------------------------------------------------------------


def _port_range(root: Path) -> range:
    fields = words(_value(root / "proc/sys/net/ipv4/ip_local_port_range"))
    if len(fields) == 2 and all(re.fullmatch(r"[0-9]{1,5}", one) for one in fields):
        return range(int(fields[0]), int(fields[1]) + 1)
    return _USUAL_RANGE


def _socket_address(text: str) -> tuple[str, bool]:
    """How a report shows it, and whether only the host itself reaches it.

    Of others than the usual ones the family is enough: a lease may be of another address.
    """
    if len(text) == 8:
        four = ipaddress.IPv4Address(_address4(text))
        return (str(four) if four.is_loopback or not int(four) else "an IPv4 address"), (
            four.is_loopback
        )
    packed = b"".join(
        _hexadecimal(text[start : start + 8]).to_bytes(4, "little") for start in range(0, 32, 8)
    )
    six = ipaddress.IPv6Address(packed)
    return (str(six) if six.is_loopback or not int(six) else "an IPv6 address"), six.is_loopback


_SOCKET = re.compile(r"socket:\[([0-9]{1,20})\]")
_SERVICE = re.compile(r"/([^/]{1,255}\.service)(?:/|$)")
_MOST_PROCESSES = 20_000
# It listens for a container, in the service of the daemon.
_FOR_CONTAINERS = ("docker-proxy",)


def _owners(root: Path, inodes: Collection[str]) -> dict[str, list[str]]:
    """The control groups of the processes that have these sockets; none where it is the kernel.

    Empty for a process that is a container's.
    """
    found: dict[str, list[str]] = {}
    for process in _listed(root / "proc")[:_MOST_PROCESSES]:
        if not process.name.isdigit():
            continue
        own = set()
        for one in _listed(process / "fd"):
            try:
                match = _SOCKET.fullmatch(str(one.readlink()))
            except OSError:  # closed meanwhile
                continue
            if match and match[1] in inodes:
                own.add(match[1])
        if own:
            # systemd's own hierarchy, of the old kind or the only one.
            groups = lines(read(process / "cgroup"))
            named = [one for one in groups if one.startswith(("0::", "1:name=systemd:"))]
            group = named[-1].split(":", 2)[2] if named else "/"
            if _value(process / "comm") in _FOR_CONTAINERS:
                group = ""
            for inode in own:
                found.setdefault(inode, []).append(group)
    return found


def _comes_back(group: str, units: Optional[Mapping[str, Item]]) -> bool:
    """Whether each boot starts what is in this control group: no session, container or command."""
    if not group:
        return False
    if units is None or group in ("/", "/init.scope"):
        return True
    service = _SERVICE.search(group)
    unit = units.get(service[1]) if service and not group.startswith("/user.slice/") else None
    return unit is not None and unit.needed and not unit.may_go


def _registered(root: Path) -> set[tuple[str, int]]:
    """Protocols and ports that /etc/services has a name for."""
    found = map(_REGISTERED.match, lines(read(root / "etc/services")))
    return {(one[2], int(one[1])) for one in found if one}


def sockets(root: Path, units: Optional[Mapping[str, Item]] = None) -> Optional[Items]:
    """Where somebody listens, by protocol and port. `units` tell which boot brings back."""
    if not is_there(root / "proc/net/tcp"):
        return None
    given = _port_range(root)
    registered = _registered(root)
    # UDP ports that may be for one query or one call.
    passing: set[str] = set()
    shown: dict[str, set[str]] = {}
    needed: dict[str, bool] = {}
    inodes: dict[str, set[str]] = {}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        protocol = table[:3]
        for line in lines(read(root / "proc/net" / table))[1:]:
            fields = words(line)
            if len(fields) < 4:
                continue
            local, _mark, hexadecimal = fields[1].partition(":")
            if len(local) not in (8, 32) or not _HEX.fullmatch(local):
                continue
            port = _hexadecimal(hexadecimal) & 0xFFFF
            unconnected = _hexadecimal(fields[2].partition(":")[0]) == 0
            by_chance = port in given
            if protocol == "udp":
                listens = fields[3] == _UNCONNECTED and unconnected and not by_chance
            else:
                listens = fields[3] == _LISTEN
            if not listens or not port:
                continue
            address, is_loopback = _socket_address(local)
            name = f"{protocol} port {port}{' on loopback' if is_loopback else ''}"
            shown.setdefault(name, set()).add(address)
            is_known = (protocol, port) in registered
            reserved = port in _RESERVED and port not in _OWNED
            by_chance = by_chance or (reserved and not is_known)
            if protocol == "udp" and port >= _FIRST_FREE and not is_known:
                passing.add(name)
            by_chance = by_chance or (is_loopback and port in _FORWARDED)
            needed[name] = not by_chance and not (protocol == "udp" and port in _DHCP)
            inodes.setdefault(name, set()).update(fields[9:10])
    owners = _owners(root, set().union(*inodes.values()))
    grouped = {
        # The kernel's own have none: those of NFS, or of a tunnel that a container's network has.
        name: {group for inode in own for group in owners.get(inode, [])}
        for name, own in inodes.items()
    }
    for name, groups in grouped.items():
        others = (grouped[other] for other in grouped if other != name and other not in passing)
        if name in passing and any(groups & other - {""} for other in others):
            # It listens elsewhere, where people find it.
            needed[name] = False
        if not any(_comes_back(group, units) for group in groups):
            needed[name] = False
    return {
        name: Item(", ".join(sorted(texts)), needed=needed[name]) for name, texts in shown.items()
    }


# --- the kernel's own ---------------------------------------------------------------------------


def _asked_for(root: Path) -> set[str]:
    """Modules that the host's administrator has listed."""
    texts = {"modules": read(root / "etc/modules")}
    for directory in reversed(_MODULE_DIRECTORIES):
        for path in _listed(root / directory / "modules-load.d"):
            # A file in /etc stands for one of its name elsewhere.
            if path.name.endswith(".conf"):
                texts[path.name] = read(path)
    # The role modules sees to these, and another kernel has none of them.
    texts.pop(modules_load.NAME, None)
    found = set()
    for text in texts.values():
        for line in lines(text):
            listed = words(line.strip())
            if listed and not listed[0].startswith(("#", ";")):
                found.add(canonical(listed[0]))
    return found


def _release(root: Path) -> str:
    return _value(root / "proc/sys/kernel/osrelease")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].split(".ko", 1)[0]


def _of_dkms(root: Path) -> set[str]:
    """Modules that DKMS has built for the running kernel."""
    every = built_for(root, _release(root)).values()
    return {canonical(_stem(file)) for files in every for file in files}


def dkms_modules(root: Path) -> Items:
    """Modules of DKMS that the host's administrator has listed.

    One that is not built is absent: whether that is accepted was asked before the trial boot.
    """
    return {
        name: Item("loaded", may_go=True)
        if is_there(root / "sys/module" / name)
        else Item("not loaded", works=False)
        for name in sorted(_asked_for(root) & _of_dkms(root))
    }


def modules(root: Path) -> Items:
    """The other modules that the host's administrator has listed."""
    built_in = {
        canonical(_stem(line))
        for line in lines(read(root / "lib/modules" / _release(root) / "modules.builtin"))
    }
    found: Items = {}
    for name in sorted(_asked_for(root) - _of_dkms(root)):
        if "/" in name:
            continue
        loaded = is_there(root / "sys/module" / name)
        text = "built in" if name in built_in else "loaded" if loaded else "not loaded"
        found[name] = Item(text, works=text != "not loaded")
    return found


def dkms(root: Path) -> Items:
    """Whether each module of DKMS was built for the running kernel, and modprobe would find it."""
    release = _release(root)
    index = lines(read(root / "lib/modules" / release / "modules.dep"))
    loadable = {canonical(_stem(line.partition(":")[0])) for line in index}
    found: Items = {}
    for name, files in built_for(root, release).items():
        missing = {canonical(_stem(file)) for file in files} - loadable
        text = "built, not loadable" if files and missing else "built" if files else "not built"
        found[name] = Item(text, works=text == "built")
    return found


def clock_is_synchronised() -> Optional[bool]:
    """What adjtimex(2) says, whichever program sets the clock; None if it says nothing."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        # struct timex has 208 bytes; its first field 0 asks and sets nothing.
        state = int(library.adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _UNSYNCHRONISED


CLOCK_SOURCE = "clock source"
# From the slowest on; all others (tsc, kvm-clock, …) are read without leaving the processor.
_SLOW_CLOCKS = ("jiffies", "refined-jiffies", "acpi_pm", "hpet")


def is_slower_clock(now: str, before: str) -> bool:
    """Whether the kernel fell back to a clock source that takes longer to read."""
    places = {name: place for place, name in enumerate(_SLOW_CLOCKS)}
    fast = len(_SLOW_CLOCKS)
    return places.get(now, fast) < places.get(before, fast)


def system(root: Path, synchronised: Callable[[], Optional[bool]] = clock_is_synchronised) -> Items:
    """What drives processors, temperatures and clocks."""
    cpus = root / "sys/devices/system/cpu"
    clock = root / "sys/devices/system/clocksource/clocksource0/current_clocksource"
    zones = {_value(one / "type") for one in _listed(root / "sys/class/thermal")} - {""}
    is_set = synchronised()
    texts = {
        "cpufreq driver": _value(cpus / "cpufreq/policy0/scaling_driver")
        or _value(cpus / "cpu0/cpufreq/scaling_driver"),
        CLOCK_SOURCE: _value(clock),
    }
    found = {name: Item(text) for name, text in texts.items() if text}
    for zone in zones:
        found[f"thermal {zone}"] = Item("present")
    if is_set is not None:
        text = "synchronised" if is_set else "not synchronised"
        found["time"] = Item(text, works=is_set)
    return found
