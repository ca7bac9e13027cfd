# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What works on a host, read from /proc and /sys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health_state
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item

MAC, OTHER_MAC = "52:54:00:12:34:56", "52:54:00:12:34:57"
PCI = "sys/devices/pci0000:00"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def device(root: Path, bus: str, where: str, driver: str = "", **attributes: str) -> Path:
    """A device below sys/devices, its link on the bus, and its driver."""
    path = root / where
    path.mkdir(parents=True, exist_ok=True)
    write(path, {name: f"{value}\n" for name, value in attributes.items()})
    listed = root / "sys/bus" / bus / "devices" / path.name
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.symlink_to(path)
    if driver:
        program = root / "sys/bus" / bus / "drivers" / driver
        program.mkdir(parents=True, exist_ok=True)
        (path / "driver").symlink_to(program)
    return path


def texts(items: Optional[dict[str, Item]]) -> dict[str, str]:
    return {name: item.text for name, item in (items or {}).items()}


def needed(items: Optional[dict[str, Item]]) -> set[str]:
    return {name for name, item in (items or {}).items() if item.needed and item.works}


# --- devices ------------------------------------------------------------------------------------


def test_devices_by_addresses_that_stay(tmp_path: Path) -> None:
    device(tmp_path, "pci", f"{PCI}/0000:00:03.0", "virtio-pci", **{"class": "0x010000"})
    device(tmp_path, "virtio", f"{PCI}/0000:00:03.0/virtio7", "virtio_blk")
    device(tmp_path, "pci", f"{PCI}/0000:00:04.0", **{"class": "0x020000"})
    device(tmp_path, "hid", f"{PCI}/0003:046D:C31C.0005", "hid-generic")
    device(tmp_path, "serio", "sys/devices/platform/i8042/serio0", "atkbd", description="KBD port")
    device(tmp_path, "platform", "sys/devices/platform/fe300000.mmc", "sdhci")
    device(tmp_path, "platform", "sys/devices/platform/alarmtimer.0.auto", "alarmtimer")
    device(tmp_path, "mmc", f"{PCI}/mmc_host/mmc1/mmc1:aaaa", "mmcblk")
    found = health_state.devices(tmp_path)
    assert texts(found) == {
        "pci 0000:00:03.0": "virtio-pci",
        "pci 0000:00:04.0": "no driver",
        "virtio 0000:00:03.0": "virtio_blk",
        "hid 0003:046D:C31C": "hid-generic",
        "serio KBD port": "atkbd",
        "mmc aaaa": "mmcblk",
        "platform fe300000.mmc": "sdhci",
    }
    assert not found["pci 0000:00:04.0"].works


@pytest.mark.parametrize("number", [1, 5])
def test_a_usb_device_by_its_controller(tmp_path: Path, number: int) -> None:
    """The kernel may find another controller first, and its buses get other numbers."""
    for hub in (number, number + 1):
        (tmp_path / f"{PCI}/0000:00:14.0/usb{hub}").mkdir(parents=True)
    parent = f"{PCI}/0000:00:14.0/usb{number + 1}/{number + 1}-4"
    device(tmp_path, "usb", parent, "usb", idVendor="046d", idProduct="c31c")
    device(tmp_path, "usb", f"{parent}/{number + 1}-4:1.0", "usbhid")
    found = health_state.devices(tmp_path)
    assert texts(found) == {"usb 0000:00:14.0 hub 1 port 4:1.0 (046d:c31c)": "usbhid"}
    assert [item.may_go for item in found.values()] == [True]


def test_two_of_one_name(tmp_path: Path) -> None:
    for number in (1, 2):
        device(tmp_path, "hid", f"{PCI}/0003:046D:C31C.000{number}", "hid-generic")
    assert [*health_state.devices(tmp_path)] == ["hid 0003:046D:C31C", "hid 0003:046D:C31C #2"]


def test_devices_that_no_host_needs(tmp_path: Path) -> None:
    device(tmp_path, "pci", f"{PCI}/0000:00:1c.0", "pcieport", **{"class": "0x060400"})
    device(tmp_path, "pci", f"{PCI}/0000:01:00.0", "vfio-pci", **{"class": "0x020000"})
    function = device(tmp_path, "pci", f"{PCI}/0000:02:10.0", "ixgbevf", **{"class": "0x020000"})
    (function / "physfn").mkdir()
    card = {"class": "0x020000", "removable": "removable"}
    device(tmp_path, "pci", f"{PCI}/0000:03:00.0", "ixgbe", **card)
    found = health_state.devices(tmp_path)
    assert needed(found) == {"pci 0000:03:00.0"}
    assert found["pci 0000:03:00.0"].may_go


# --- mounts and disks ---------------------------------------------------------------------------


def mount(target: str, fstype: str = "ext4", source: str = "/dev/vda1", options: str = "rw") -> str:
    return f"30 1 254:1 / {target} {options},relatime shared:1 - {fstype} {source} {options}\n"


def test_mounts_that_each_boot_makes(tmp_path: Path) -> None:
    fstab = "# /dev/sdz /no ext4\n/dev/vda2 /srv/my\\040data xfs defaults 0 2\n"
    fstab += "/dev/sdb1 /usb ext4 noauto 0 0\nnas:/x /lazy nfs x-systemd.automount 0 0\n"
    fstab += "/dev/vda4 /var/lib/docker ext4 defaults\n/dev/vda5 /ro ext4 ro\n"
    fstab += "/dev/vda7 /media/data ext4 nofail\n"
    unit = "[Mount]\nWhat=/dev/vda6\nWhere=/opt/x\n"
    # As systemd makes it of a partition's type.
    automatic = "[Mount]\nWhat=/dev/vda15\nWhere=/efi\n"
    lines = [
        mount("/"),
        mount("/srv/my\\040data", "xfs", "/dev/vda2"),
        mount("/usb"),
        mount("/lazy", "autofs", "systemd-1"),
        mount("/lazy", "nfs4", "nas:/x"),
        mount("/lazy/below", "nfs4", "nas:/y"),
        mount("/efi", "autofs", "systemd-1"),
        mount("/efi", "vfat", "/dev/vda15"),
        mount("/mnt"),
        mount("/opt/x"),
        mount("/by-hand"),
        mount("/noauto"),
        mount("/tank", "zfs", "tank"),
        mount("/tank/listed", "zfs", "tank/listed"),
        mount("/tank/.zfs/snapshot/daily", "zfs", "tank@daily"),
        mount("/ro", options="ro"),
        *map(mount, ("/run/user/1000", "/proc", "/snap/core", "/media/me/x", "/var/lib/docker")),
        *map(mount, ("/var/lib/docker/overlay2/x/merged", "/var/lib/lxd", "/media/data")),
    ]
    write(
        tmp_path,
        {
            "proc/1/mountinfo": "".join(lines),
            "etc/fstab": fstab,
            "etc/systemd/system/opt-x.mount": unit,
            "etc/systemd/system/snap-core.mount": "[Mount]\nWhere=/snap/core\n",
            "etc/systemd/system/multi-user.target.wants/snap-core.mount": "",
            "etc/systemd/system/remote-fs.target.wants/opt-x.mount": unit,
            "etc/systemd/system/by\\x2dhand.mount": "[Mount]\nWhere=/by-hand\n",
            "run/systemd/generator/noauto.mount": "[Mount]\nWhere=/noauto\n",
            "run/systemd/generator/tank-listed.mount": "[Mount]\nWhere=/tank/listed\n",
            "run/systemd/generator/zfs-mount.service.requires/tank-listed.mount": "",
            "run/systemd/generator.late/efi.mount": automatic,
        },
    )
    found = health_state.mounts(tmp_path)
    assert texts(found) == {
        "/": "ext4 of /dev/vda1",
        "/srv/my data": "xfs of /dev/vda2",
        "/opt/x": "ext4 of /dev/vda1",
        "/by-hand": "ext4 of /dev/vda1",
        "/noauto": "ext4 of /dev/vda1",
        "/tank": "zfs of tank",
        "/tank/listed": "zfs of tank/listed",
        "/ro": "ext4 of /dev/vda1, read-only",
        "/var/lib/docker": "ext4 of /dev/vda1",
        "/media/data": "ext4 of /dev/vda1",
    }
    always = {"/var/lib/docker", "/media/data"}
    assert needed(found) == {"/", "/srv/my data", "/opt/x", "/tank/listed", "/ro", *always}
    assert health_state.mounts(tmp_path / "none") is None


def test_mounts_that_somebody_unlocks(tmp_path: Path) -> None:
    """A passphrase is typed, or nothing opens the volume; a key file opens it at each boot."""
    names = ("typed", "later", "short", "always")
    write(
        tmp_path,
        {
            "etc/crypttab": "# <target> <source> <key> <options>\ntyped UUID=1 none luks\n"
            "later UUID=2 /etc/key luks,noauto\nshort UUID=3\nalways UUID=4 /etc/key luks\n"
            "root UUID=5 none\n",
            "etc/fstab": "".join(f"/dev/mapper/{one} /{one} ext4 nofail\n" for one in names),
            "proc/1/mountinfo": mount("/", source="/dev/mapper/root")
            + "".join(mount(f"/{one}", source=f"/dev/mapper/{one}") for one in names),
        },
    )
    assert needed(health_state.mounts(tmp_path)) == {"/", "/always"}


def test_swap_and_disks(tmp_path: Path) -> None:
    header = "Filename Type Size Used Priority\n"
    block = "sys/class/block"
    write(
        tmp_path,
        {
            "proc/swaps": f"{header}/dev/dm-3 partition 4096 0 -2\n/swap file 99 0 -3\n",
            f"{block}/dm-3/dm/name": "vg-swap\n",
            f"{block}/dm-3/size": "8192\n",
            f"{block}/vdb/serial": "ABC\n",
            f"{block}/vdb/size": "4096\n",
            f"{block}/vdb1/partition": "1\n",
            f"{block}/sda/device/wwid": "t10.ATA  QEMU   7\n",
            f"{block}/sda/size": "x\n",
            f"{block}/loop3/size": "1\n",
            f"{block}/sr0/size": "1\n",
        },
    )
    assert texts(health_state.swap(tmp_path)) == {
        "/dev/mapper/vg-swap": "partition, 4096 KiB",
        "/swap": "file, 99 KiB",
    }
    assert texts(health_state.disks(tmp_path)) == {
        "vg-swap": "4 MiB",
        "ABC": "2 MiB",
        "t10.ATA QEMU 7": "unknown size",
    }
    # That is a kernel that cannot swap.
    assert health_state.swap(tmp_path / "none") == {}


# --- network ------------------------------------------------------------------------------------


def link(root: Path, name: str, mac: str, *, hardware: bool = True, **attributes: str) -> None:
    given = {"address": mac, "operstate": "up", "type": "1", "addr_assign_type": "0", **attributes}
    write(root / "sys/class/net" / name, {one: f"{value}\n" for one, value in given.items()})
    if hardware:
        (root / "sys/class/net" / name / "device").mkdir()


@pytest.mark.parametrize("name", ["enp1s0", "eth0"])
def test_a_link_by_its_mac(tmp_path: Path, name: str) -> None:
    link(tmp_path, name, MAC)
    link(tmp_path, "br0", MAC, hardware=False)
    link(tmp_path, "wg0", "", hardware=False, type="65534", operstate="unknown", carrier="1")
    link(tmp_path, "usb0", OTHER_MAC, addr_assign_type="1", operstate="down")
    for ephemeral in ("lo", "veth12ab", "docker0", "br-0123456789ab", "vnet3", "cali1", "sit0"):
        link(tmp_path, ephemeral, "00:00:00:00:00:00", hardware=False)
    write(tmp_path, {"sys/class/net/bonding_masters": "\n"})
    found = health_state.links(tmp_path)
    assert texts(found) == {
        MAC: f"{name}, up",
        "br0": "br0, up",
        "wg0": "wg0, up",
        "usb0": "usb0, down",
    }
    assert needed(found) == {MAC, "br0"}


def test_links_of_one_mac_by_their_names(tmp_path: Path) -> None:
    """As of a bond, whose parts get its address."""
    link(tmp_path, "eth0", MAC)
    link(tmp_path, "eth1", MAC)
    assert {*health_state.links(tmp_path)} == {"eth0", "eth1"}


ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
wg0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
eth0\t0000FEA9\t00000000\t0200\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
ZERO = "0" * 32
GATEWAY = "fe80" + "0" * 27 + "1"
ROUTES6 = "\n".join(
    f"{line} eth0"
    for line in (
        f"{ZERO} 00 {ZERO} 00 {GATEWAY} 00000400 00000001 00000000 00450003",
        f"fd00{'0' * 28} 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001",
        f"fe80{'0' * 28} 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001",
        f"fd00{'0' * 27}2 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 80200001",
        f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200",
    )
)
TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 192.0.2.9
        /24 link UNICAST
Local:
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 172.17.0.1
        /32 host LOCAL
     |-- 192.0.2.9
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""
IF_INET6 = f"""\
fd00{"0" * 27}2 02 40 00 80    eth0
fd00{"0" * 27}3 02 40 00 01    eth0
fe80{"0" * 27}2 02 40 20 80    eth0
fd01{"0" * 27}2 05 40 00 80 docker0
"""


def test_routes_and_addresses(tmp_path: Path) -> None:
    link(tmp_path, "eth0", MAC)
    link(tmp_path, "wg0", "", hardware=False, type="65534")
    write(
        tmp_path,
        {
            "proc/net/route": ROUTES,
            "proc/net/ipv6_route": ROUTES6,
            "proc/net/fib_trie": TRIE,
            "proc/net/if_inet6": IF_INET6,
        },
    )
    default = health_state.default_routes(tmp_path)
    assert texts(default) == {
        f"IPv4 through {MAC}": f"by 192.0.2.1 on eth0 ({MAC})",
        f"IPv6 through {MAC}": f"by fe80::1 on eth0 ({MAC})",
    }
    assert needed(default) == {*default} if default else False
    others = health_state.routes(tmp_path)
    assert texts(others) == {
        f"IPv4 192.0.2.0/24 through {MAC}": f"direct on eth0 ({MAC})",
        "IPv4 10.0.0.0/8 through wg0": "direct on wg0",
        f"IPv6 fd00::/64 through {MAC}": f"direct on eth0 ({MAC})",
    }
    assert "IPv4 10.0.0.0/8 through wg0" not in needed(others)
    assert {*(health_state.addresses(tmp_path) or {})} == {"IPv4 192.0.2.9", "IPv6 fd00::2"}
    empty = tmp_path / "none"
    assert health_state.routes(empty) is health_state.default_routes(empty) is None
    assert health_state.addresses(empty) is None


def test_name_servers(tmp_path: Path) -> None:
    write(tmp_path, {"etc/resolv.conf": "# x\nnameserver 127.0.0.53\noptions edns0\n"})
    write(tmp_path, {"run/systemd/resolve/resolv.conf": "nameserver 192.0.2.1\n"})
    assert {*(health_state.name_servers(tmp_path) or {})} == {"127.0.0.53", "192.0.2.1"}
    assert health_state.name_servers(tmp_path / "none") == {}


# --- sockets ------------------------------------------------------------------------------------

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
ANY, LOOPBACK, LAN = "00000000", "0100007F", "090200C0"
ANY6, LOOPBACK6 = "0" * 32, "0" * 24 + "01000000"


def socket(local: str, port: int, state: str = "0A", remote: str = "") -> str:
    remote = remote or f"{'0' * len(local)}:0000"
    return f"   0: {local}:{port:04X} {remote} {state} 00000000:00000000 00:0 0 0 0 {port}00\n"


def listening(root: Path, **tables: list[str]) -> Any:
    write(
        root,
        {
            f"proc/net/{name}": HEADER + "".join(rows)
            for name, rows in {"tcp": [], "tcp6": [], "udp": [], "udp6": [], **tables}.items()
        },
    )
    return health_state.sockets(root)


def test_who_listens(tmp_path: Path) -> None:
    found = listening(
        tmp_path,
        tcp=[
            socket(ANY, 22),
            socket(LOOPBACK, 25),
            socket(LAN, 80),
            socket(LAN, 22, "01", f"{LAN}:1234"),
            socket(ANY, 40000),
            socket(ANY, 700),
            socket(ANY, 636),
        ],
        tcp6=[socket(ANY6, 22), socket(LOOPBACK6, 6010)],
        udp=[
            socket(ANY, 123, "07"),
            socket(ANY, 68, "07"),
            socket(LAN, 50000, "07"),
            socket(LAN, 161, "01", f"{LAN}:0035"),
        ],
    )
    assert texts(found) == {
        "tcp port 22": "0.0.0.0, ::",
        "tcp port 25 on loopback": "127.0.0.1",
        "tcp port 80": "an IPv4 address",
        "tcp port 40000": "0.0.0.0",
        "tcp port 700": "0.0.0.0",
        "tcp port 636": "0.0.0.0",
        "tcp port 6010 on loopback": "::1",
        "udp port 123": "0.0.0.0",
        "udp port 68": "0.0.0.0",
    }
    # The kernel's own have no process.
    assert needed(found) == set()
    process(tmp_path, 7, "0::/", *(22, 25, 80, 40000, 700, 636, 6010, 123, 68))
    found = health_state.sockets(tmp_path)
    # Ports that are given by chance, that of a lease, and a display that sshd forwards.
    assert {*(found or ())} - needed(found) == {
        *("tcp port 40000", "tcp port 700", "udp port 68", "tcp port 6010 on loopback"),
    }


def process(root: Path, pid: int, group: str, *ports: int) -> None:
    write(root, {f"proc/{pid}/cgroup": f"{group}\n"})
    (root / f"proc/{pid}/fd").mkdir()
    (root / f"proc/{pid}/fd/0").symlink_to("/dev/null")
    for number, port in enumerate(ports, 3):
        (root / f"proc/{pid}/fd/{number}").symlink_to(f"socket:[{port}00]")


@pytest.mark.parametrize(
    ("group", "comes_back"),
    [
        ("0::/system.slice/nginx.service", True),
        ("0::/system.slice/nginx.service/worker", True),
        ("13:cpu:/x\n1:name=systemd:/system.slice/nginx.service", True),
        ("0::/init.scope", True),
        ("0::/", True),
        # Of a person, a command, a container; of a unit that nothing starts, or that ends.
        ("0::/user.slice/user-0.slice/session-3.scope", False),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service", False),
        ("0::/system.slice/run-r12.service", False),
        ("0::/system.slice/docker-12ab.scope", False),
        ("0::/system.slice/by-hand.service", False),
        ("0::/system.slice/docker.service", False),
    ],
)
def test_who_listens_at_each_boot(tmp_path: Path, group: str, comes_back: bool) -> None:
    units = {
        "nginx.service": Item("active"),
        "by-hand.service": Item("active", needed=False),
        "docker.service": Item("active", may_go=True),
    }
    listening(tmp_path, tcp=[socket(ANY, 80), socket(ANY, 2049)])
    process(tmp_path, 7, group, 80)
    assert needed(health_state.sockets(tmp_path, units)) == (
        {"tcp port 80"} if comes_back else set()
    )
    # Without systemd nothing is known of that.
    assert needed(health_state.sockets(tmp_path)) == {"tcp port 80"}
    write(tmp_path, {"proc/7/comm": "docker-proxy\n"})
    assert needed(health_state.sockets(tmp_path, units)) == set()
    assert needed(health_state.sockets(tmp_path)) == set()


def test_a_socket_that_systemd_holds_too(tmp_path: Path) -> None:
    listening(tmp_path, tcp=[socket(ANY, 22)])
    process(tmp_path, 1, "0::/init.scope", 22)
    process(tmp_path, 7, "0::/user.slice/user-0.slice/session-3.scope", 22)
    assert needed(health_state.sockets(tmp_path, {})) == {"tcp port 22"}


def test_ports_for_one_query_or_call(tmp_path: Path) -> None:
    """Of UDP, without a name, and of a service that listens elsewhere."""
    write(tmp_path, {"etc/services": "# x\ndomain\t53/udp\nsip  5060/udp\n# 9999/udp\n"})
    listening(
        tmp_path,
        udp=[socket(ANY, port, "07") for port in (53, 20134, 5060, 15002, 9999)],
        tcp=[socket(ANY, 10017)],
    )
    process(tmp_path, 1, "0::/system.slice/dnsmasq.service", 53, 20134)
    process(tmp_path, 2, "0::/system.slice/asterisk.service", 5060, 15002, 10017)
    process(tmp_path, 3, "0::/system.slice/one.service", 9999)
    units = {f"{name}.service": Item("active") for name in ("dnsmasq", "asterisk", "one")}
    found = health_state.sockets(tmp_path, units)
    assert needed(found) == {"udp port 53", "udp port 5060", "udp port 9999", "tcp port 10017"}


@pytest.mark.parametrize(("services", "port"), [("x 700/tcp\n", 700), ("", 783), ("", 953)])
def test_reserved_ports_that_have_an_owner(tmp_path: Path, services: str, port: int) -> None:
    write(tmp_path, {"etc/services": services})
    listening(tmp_path, tcp=[socket(ANY, port), socket(ANY, 701)])
    process(tmp_path, 7, "0::/", port, 701)
    assert needed(health_state.sockets(tmp_path)) == {f"tcp port {port}"}


def test_the_range_of_ports_given_by_chance(tmp_path: Path) -> None:
    write(tmp_path, {"proc/sys/net/ipv4/ip_local_port_range": "1024\t2000\n"})
    listening(tmp_path, tcp=[socket(ANY, 40000), socket(ANY, 1024)], udp=[])
    process(tmp_path, 7, "0::/", 40000, 1024)
    found = health_state.sockets(tmp_path)
    assert needed(found) == {"tcp port 40000"}


def test_a_table_of_sockets_that_makes_no_sense(tmp_path: Path) -> None:
    assert health_state.sockets(tmp_path) is None
    assert listening(tmp_path, tcp=["x\n", "0: zz:1 0:0 0A\n", "0: 00000000:zz 0:0 0A\n"]) == {}


# --- the kernel's own ---------------------------------------------------------------------------


def test_modules_that_are_asked_for(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/sys/kernel/osrelease": "6.1\n",
            "etc/modules": "# x\nloop\n\nsnd-dummy index=1\n",
            "etc/modules-load.d/a.conf": "br_netfilter\n",
            "usr/lib/modules-load.d/a.conf": "masked\n",
            "usr/lib/modules-load.d/b.conf": "; x\nnever_there\n../x\n",
            "etc/modules-load.d/oslab-kernel.conf": "capture_mem_mod\n",
            "sys/module/br_netfilter/initstate": "live\n",
            "sys/module/snd_dummy/initstate": "live\n",
            "lib/modules/6.1/modules.builtin": "kernel/drivers/block/loop.ko\n",
        },
    )
    assert texts(health_state.modules(tmp_path)) == {
        "loop": "built in",
        "snd_dummy": "loaded",
        "br_netfilter": "loaded",
        "never_there": "not loaded",
    }


def test_modules_of_dkms(tmp_path: Path) -> None:
    write(tmp_path, {"proc/sys/kernel/osrelease": "6.1\n"})
    for name, release in (("zfs", "6.1"), ("old", "6.0"), ("half", "6.1")):
        tree = tmp_path / "var/lib/dkms" / name / "1"
        write(tree, {f"{release}/x86_64/module/{name}.ko.xz": ""})
        (tree / "source").symlink_to(tmp_path)
    write(tmp_path, {"lib/modules/6.1/modules.dep": "updates/dkms/zfs.ko.xz:\n"})
    found = health_state.dkms(tmp_path)
    assert texts(found) == {
        "zfs/1": "built",
        "old/1": "not built",
        "half/1": "built, not loadable",
    }
    assert needed(found) == {"zfs/1"}


def test_modules_of_dkms_that_are_asked_for(tmp_path: Path) -> None:
    """Loaded or not; one that is not built for the kernel is absent."""
    write(
        tmp_path,
        {
            "proc/sys/kernel/osrelease": "6.1\n",
            "etc/modules": "zfs\nhalf-way\nunbuilt\nloop\n",
            "sys/module/zfs/initstate": "live\n",
            "sys/module/loop/initstate": "live\n",
        },
    )
    for name, release in (("zfs", "6.1"), ("half_way", "6.1"), ("unbuilt", "6.0"), ("more", "6.1")):
        tree = tmp_path / "var/lib/dkms" / name / "1"
        write(tree, {f"{release}/x86_64/module/{name}.ko.xz": ""})
        (tree / "source").symlink_to(tmp_path)
    found = health_state.dkms_modules(tmp_path)
    assert found == {
        "zfs": Item("loaded", may_go=True),
        "half_way": Item("not loaded", works=False),
    }
    assert texts(health_state.modules(tmp_path)) == {"loop": "loaded", "unbuilt": "not loaded"}


@pytest.mark.parametrize("is_set", [True, False, None])
def test_processors_and_clocks(tmp_path: Path, is_set: Optional[bool]) -> None:
    cpu = "sys/devices/system"
    write(
        tmp_path,
        {
            f"{cpu}/cpu/cpu0/cpufreq/scaling_driver": "intel_pstate\n",
            f"{cpu}/clocksource/clocksource0/current_clocksource": "tsc\n",
            "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
            "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
        },
    )
    found = texts(health_state.system(tmp_path, lambda: is_set))
    words = {True: "synchronised", False: "not synchronised"}
    assert found.pop("time", None) == (None if is_set is None else words[is_set])
    assert found == {
        "cpufreq driver": "intel_pstate",
        "clock source": "tsc",
        "thermal x86_pkg_temp": "present",
    }


def test_the_clock_of_this_machine() -> None:
    assert health_state.clock_is_synchronised() in (True, False, None)
