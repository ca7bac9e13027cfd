# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts made of files: which modules they need."""

from __future__ import annotations

import shutil

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import parse_mounts
from ansible_collections.oslab.kernel.tests.lib.fake_machine import RELEASE, Machine

NVME = "pci:v00008086d00000953sv00001AF4sd00001100bc01sc08i02"
BRIDGE = "pci:v00008086d00003420sv00000000sd00000000bc06sc04i00"


def test_root_on_lvm_on_crypt_on_nvme(machine: Machine) -> None:
    machine.device("pci0000:00/0000:00:03.0", modalias=BRIDGE)
    machine.pci("pci0000:00/0000:00:03.0/0000:01:00.0", NVME, "0x010802", driver="nvme")
    disk = "pci0000:00/0000:00:03.0/0000:01:00.0/nvme/nvme0/nvme0n1"
    machine.disk(disk, "259:0")
    partition = machine.disk(f"{disk}/nvme0n1p2", "259:2")
    crypt = machine.disk("virtual/block/dm-0", "254:0")
    machine.write(f"{crypt}/dm/uuid", "CRYPT-LUKS2-abc-root")
    machine.link(f"{crypt}/slaves/nvme0n1p2", partition)
    volume = machine.disk("virtual/block/dm-1", "254:1")
    machine.write(f"{volume}/dm/uuid", "LVM-xyz")
    machine.link(f"{volume}/slaves/dm-0", crypt)
    machine.mount("/", "254:1", "ext4", "/dev/mapper/vg-root")

    # The filesystem with what it needs, the layers, the disk's driver with what it needs, and the
    # bridge on the way to it.
    assert machine.essential() == {
        *("ext4", "jbd2", "crc32c_generic", "dm_mod", "dm_crypt"),
        *("nvme", "nvme_core", "t10_pi", "bridge_helper"),
    }


def test_software_raid(machine: Machine) -> None:
    raid = machine.disk("virtual/block/md0", "9:0")
    machine.write(f"{raid}/md/level", "raid5")
    machine.mount("/", "9:0", "ext4", "/dev/md0")
    assert {"md_mod", "raid456"} <= machine.essential()


def test_btrfs_has_no_device_number_of_its_own(machine: Machine) -> None:
    machine.pci("pci0000:00/0000:00:05.0", NVME, "0x010802")
    machine.disk("pci0000:00/0000:00:05.0/nvme/nvme0/nvme0n1", "259:0")
    machine.mount("/", "0:25", "btrfs", "/dev/nvme0n1")
    assert {"btrfs", "nvme"} <= machine.essential()


@pytest.mark.parametrize("directory", ["/boot/efi", "/efi"])
def test_efi_partition_needs_its_character_sets(machine: Machine, directory: str) -> None:
    machine.disk("virtual/block/sdz1", "8:1")
    machine.mount(directory, "8:1", "vfat", "/dev/sdz1")
    # Only what the kernel has: nls_cp437 is not among its modules here.
    assert machine.essential() == {"vfat", "nls_ascii"}


def test_virtual_machine(machine: Machine) -> None:
    for slot, kind in (("01", 2), ("02", 1), ("03", 16)):
        bus = f"pci0000:00/0000:00:{slot}.0"
        machine.device(
            bus, modalias=f"pci:v00001AF4d000010{slot}sv0sd0bc00sc00i00", **{"class": "0x000000"}
        )
        device = machine.device(
            f"{bus}/virtio{kind}",
            modalias=f"virtio:d{kind:08X}v00001AF4",
            **{"device": f"0x{kind:04x}"},
        )
        machine.link(f"sys/bus/virtio/devices/virtio{kind}", device)
    machine.device("pci0000:00/0000:00:02.0/virtio1/net/eth0")
    machine.link("sys/class/net/eth0", "sys/devices/pci0000:00/0000:00:02.0/virtio1/net/eth0")
    machine.link(
        "sys/devices/pci0000:00/0000:00:02.0/virtio1/net/eth0/device",
        "sys/devices/pci0000:00/0000:00:02.0/virtio1",
    )
    machine.disk("pci0000:00/0000:00:01.0/virtio2/block/vda", "254:0")
    assert machine.essential() == {"virtio_pci", "virtio_ring", "virtio_blk", "virtio_net"}


def test_drivers_that_are_not_loaded_count(machine: Machine) -> None:
    # A controller without a disk, a USB host, a keyboard on it and one on the PS/2 port.
    machine.pci("pci0000:00/0000:00:1f.2", "pci:v00008086d0001sv0sd0bc01sc06i01", "0x010601")
    usb = machine.pci("pci0000:00/0000:00:14.0", "pci:v00008086d0002sv0sd0bc0Csc03i30", "0x0c0330")
    path = f"{usb[len('sys/devices/') :]}/usb1/1-1/1-1:1.0"
    interface = machine.device(
        path, modalias="usb:v046DpC31Cd6400dc00dsc00dp00ic03isc01ip01in00", bInterfaceClass="03"
    )
    machine.link("sys/bus/usb/devices/1-1:1.0", interface)
    hid = machine.device(f"{path}/0003:046D:C31C.0001", modalias="hid:b0003g0001v0000046Dp0000C31C")
    machine.link("sys/bus/hid/devices/0003:046D:C31C.0001", hid)
    serio = machine.device("platform/i8042/serio0", modalias="serio:ty06pr00id00ex00")
    machine.link("sys/bus/serio/devices/serio0", serio)
    assert machine.essential() == {"ahci", "xhci_pci", "usbhid", "hid_generic", "atkbd"}


def test_no_graphics_no_sound_no_memory_disks(machine: Machine) -> None:
    machine.pci("pci0000:00/0000:00:02.0", "pci:v000010DEd0001sv0sd0bc03sc00i00", "0x030000", "gpu")
    machine.pci("pci0000:00/0000:00:1b.0", "pci:v00008086d0009sv0sd0bc04sc03i00", "0x040300", "snd")
    machine.disk("virtual/block/loop0", "7:0")
    machine.mount("/mnt", "7:0", "squashfs", "/dev/loop0")
    assert machine.essential() == set()


def test_a_container_s_root_asks_for_nothing(machine: Machine) -> None:
    machine.mount("/", "0:44", "overlay", "overlay")
    assert machine.essential() == set()


def test_the_last_mount_counts() -> None:
    text = "1 0 0:1 / / rw - rootfs rootfs rw\n2 1 8:1 / / rw - ext4 /dev/sda1 rw\nbroken\n"
    assert parse_mounts(text)["/"].fstype == "ext4"


# --- drivers that are built in: neither lsmod nor a link names their module -------------------

# As `make modules_install` writes them; this kernel has ext4, nvme and more of them built in.
BUILTIN = """\
kernel/drivers/block/virtio_blk.ko
kernel/drivers/virtio/virtio_pci.ko
kernel/drivers/net/virtio_net.ko
kernel/drivers/scsi/sd_mod.ko
kernel/drivers/nvme/host/nvme.ko
kernel/drivers/nvme/host/nvme-tcp.ko
kernel/drivers/usb/host/xhci-pci.ko
kernel/drivers/block/xen-blkfront.ko
kernel/drivers/md/bcache/bcache.ko
kernel/drivers/md/dm-round-robin.ko
kernel/drivers/scsi/device_handler/scsi_dh_alua.ko
kernel/drivers/scsi/iscsi_tcp.ko
kernel/drivers/input/keyboard/atkbd.ko
kernel/drivers/net/bonding/bonding.ko
kernel/drivers/block/loop.ko
kernel/fs/ext4/ext4.ko
kernel/fs/xfs/xfs.ko
kernel/fs/efivarfs/efivarfs.ko
kernel/fs/squashfs/squashfs.ko
kernel/fs/tracefs/tracefs.ko
kernel/fs/nls/nls_cp437.ko
kernel/crypto/xts.ko
kernel/crypto/aes_generic.ko
kernel/crypto/wp512.ko
kernel/sound/soundcore.ko
"""
MODINFO = (
    *("ext4.license=GPL", "ext4.file=fs/ext4/ext4", "ext4.softdep=pre: crypto-crc32c"),
    *("ext4.alias=fs-ext4", "ext4.alias=fs-ext3", "xfs.alias=fs-xfs"),
    *("efivarfs.alias=fs-efivarfs", "squashfs.alias=fs-squashfs", "bonding.alias=rtnl-link-bond"),
    "tracefs.alias=fs-tracefs",
    *(
        "sd_mod.alias=scsi:t-0x00*",
        "xen_blkfront.alias=xen:vbd",
        "crc32c_generic.alias=crypto-crc32c",
    ),
    *("xts.alias=crypto-xts", "aes_generic.alias=crypto-aes", "wp512.alias=crypto-wp512"),
    *("loop.alias=block-major-7-*", "soundcore.alias=char-major-14-*"),
)


@pytest.fixture
def builtin(machine: Machine) -> Machine:
    """A host whose kernel has what it needs built in; its modules' lists say nothing of that."""
    machine.write(f"lib/modules/{RELEASE}/modules.builtin", BUILTIN)
    machine.write(f"lib/modules/{RELEASE}/modules.builtin.modinfo", "\0".join(MODINFO) + "\0")
    for name in ("alias", "dep", "softdep"):
        machine.write(f"lib/modules/{RELEASE}/modules.{name}", "# nothing\n")
    return machine


def test_a_virtio_root_that_is_built_in(builtin: Machine) -> None:
    bus = "pci0000:00/0000:00:01.0"
    builtin.bound(bus, "virtio-pci", modalias="pci:v00001AF4d00001042sv0sd0bc01sc80i00")
    builtin.bound(f"{bus}/virtio1", "virtio_blk", modalias="virtio:d00000002v00001AF4")
    disk = f"{bus}/virtio1/block/vda"
    builtin.disk(disk, "254:0")
    builtin.disk(f"{disk}/vda1", "254:1")
    builtin.mount("/", "254:1", "ext4", "/dev/vda1")
    # What is built in and drives nothing here, such as sound, is not among them.
    assert builtin.essential() == {"virtio_pci", "virtio_blk", "ext4", "crc32c_generic"}


@pytest.mark.parametrize(
    ("driver", "modalias", "expected"),
    [
        ("nvme", NVME, "nvme"),
        # Drivers whose name is not that of their module.
        ("sd", "", "sd_mod"),
        ("sd", "scsi:t-0x00", "sd_mod"),
        ("vbd", "", "xen_blkfront"),
        ("vbd", "xen:vbd", "xen_blkfront"),
        ("xhci_hcd", "", "xhci_pci"),
        # No module has the name of the first two; the third has no driver.
        ("pcieport", BRIDGE, None),
        ("i8042 kbd", "", None),
        ("", "acpi:PNP0303:", None),
    ],
)
def test_the_driver_at_work_names_its_module(
    builtin: Machine, driver: str, modalias: str, expected: str | None
) -> None:
    device = "pci0000:00/0000:01:00.0"
    builtin.device(device, modalias=modalias)
    if driver:
        builtin.bound(device, driver)
    builtin.disk(f"{device}/block/sda", "8:0")
    assert builtin.essential() == ({expected} if expected else set())


def test_what_is_built_in_without_a_list_of_it(machine: Machine) -> None:
    """A kernel without modules has no /lib/modules; names of drivers are all that there is."""
    shutil.rmtree(machine.root / "lib")
    bus = "pci0000:00/0000:00:01.0"
    machine.bound(bus, "virtio-pci")
    machine.bound(f"{bus}/virtio1", "virtio_blk")
    machine.disk(f"{bus}/virtio1/block/vda", "254:0")
    machine.mount("/", "254:0", "ext4", "/dev/vda")
    assert {"virtio_pci", "virtio_blk", "ext4"} <= machine.essential()


@pytest.mark.parametrize(
    ("point", "number", "fstype", "source", "expected"),
    [
        # Without it the host ends in the emergency shell.
        ("/srv", "8:1", "xfs", "/dev/sda1", {"xfs"}),
        # By its alias: no module is called so.
        ("/srv", "8:1", "ext3", "/dev/sda1", {"ext4", "crc32c_generic"}),
        ("/boot/efi", "8:1", "vfat", "/dev/sda1", {"vfat", "nls_cp437"}),
        ("/sys/firmware/efi/efivars", "0:30", "efivarfs", "efivarfs", {"efivarfs"}),
        ("/snap/core/1", "7:0", "squashfs", "/dev/loop0", {"squashfs", "loop"}),
        ("/proc", "0:22", "proc", "proc", set()),
        # It shows what a kernel has; one without it boots as well.
        ("/sys/kernel/tracing", "0:12", "tracefs", "tracefs", set()),
        # Whoever mounts by FUSE names the source, and a part of the type.
        ("/home/ada/x", "0:50", "fuse.x y", "/dev/sda1", set()),
        ("/home/ada/x", "0:50", "fuse.xfs", "/dev/sda1", set()),
    ],
)
def test_file_systems_in_use(
    builtin: Machine, point: str, number: str, fstype: str, source: str, expected: set[str]
) -> None:
    builtin.disk("pci0000:00/block/sda/sda1", "8:1")
    builtin.disk("virtual/block/loop0", "7:0")
    builtin.mount(point, number, fstype, source)
    assert builtin.essential() == expected


CRYPTO = """\
name         : xts(aes)
driver       : xts(ecb(aes-generic))
module       : kernel
refcnt       : 3

name         : wp512
driver       : wp512-generic
module       : kernel
refcnt       : 1

"""


@pytest.mark.parametrize(
    ("name", "uuid", "expected"),
    [
        ("root", "CRYPT-LUKS2-abc-root", {"dm_mod", "dm_crypt", "xts", "aes_generic"}),
        ("vg-root", "LVM-xyz", {"dm_mod"}),
        ("vg-root_rimage_0", "LVM-xyz", {"dm_mod", "dm_raid"}),
        ("vg-root_mimage_1", "LVM-xyz", {"dm_mod", "dm_mirror"}),
        ("vg-pool_tdata", "LVM-xyz-tdata", {"dm_mod", "dm_thin_pool"}),
        ("vg-snap-cow", "LVM-xyz-cow", {"dm_mod", "dm_snapshot"}),
        ("vg-fast_cdata", "LVM-xyz-cdata", {"dm_mod", "dm_cache", "dm_cache_smq"}),
        ("mpatha", "mpath-3600", {"dm_mod", "dm_multipath", "dm_round_robin"}),
        ("usr", "CRYPT-VERITY-abc-usr", {"dm_mod", "dm_verity"}),
    ],
)
def test_layers_of_device_mapper(
    builtin: Machine, name: str, uuid: str, expected: set[str]
) -> None:
    builtin.write("proc/crypto", CRYPTO)
    layer = builtin.disk("virtual/block/dm-0", "254:0")
    builtin.write(f"{layer}/dm/uuid", uuid)
    builtin.write(f"{layer}/dm/name", name)
    assert builtin.essential() == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [("raid1", "raid1"), ("raid6", "raid456"), ("linear", "linear"), ("raid10", "raid10")],
)
def test_a_raid_that_is_not_the_root_s(builtin: Machine, level: str, expected: str) -> None:
    raid = builtin.disk("virtual/block/md127", "9:127")
    builtin.write(f"{raid}/md/level", level)
    assert builtin.essential() == {"md_mod", expected}


def test_a_disk_behind_bcache(builtin: Machine) -> None:
    (builtin.root / builtin.disk("virtual/block/bcache0", "252:0") / "bcache").mkdir()
    assert builtin.essential() == {"bcache"}


def test_paths_to_a_disk_of_a_storage_network(builtin: Machine) -> None:
    host = "platform/host2"
    builtin.device(f"{host}/scsi_host/host2", proc_name="iscsi_tcp")
    builtin.device(f"{host}/session1/target2:0:0/2:0:0:0", dh_state="alua")
    builtin.bound(f"{host}/session1/target2:0:0/2:0:0:0", "sd")
    builtin.disk(f"{host}/session1/target2:0:0/2:0:0:0/block/sda", "8:0")
    controller = builtin.device("virtual/nvme-fabrics/ctl/nvme0", transport="tcp")
    builtin.link("sys/class/nvme/nvme0", controller)
    assert builtin.essential() == {"iscsi_tcp", "scsi_dh_alua", "sd_mod", "nvme_tcp"}


@pytest.mark.parametrize(
    ("kind", "expected"), [("bond", {"bonding"}), ("wireguard", set()), ("", set())]
)
def test_network_devices_made_of_others(builtin: Machine, kind: str, expected: set[str]) -> None:
    bond = builtin.device("virtual/net/bond0", uevent=f"DEVTYPE={kind}\nINTERFACE=bond0\n")
    builtin.link("sys/class/net/bond0", bond)
    assert builtin.essential() == expected


def test_a_keyboard_whose_driver_is_built_in(builtin: Machine) -> None:
    builtin.bound("platform/i8042/serio0", "atkbd", modalias="serio:ty06pr00id00ex00")
    builtin.link("sys/bus/serio/devices/serio0", "sys/devices/platform/i8042/serio0")
    assert builtin.essential() == {"atkbd"}


def test_no_name_that_no_module_has(machine: Machine) -> None:
    """The control node refuses all facts of a host for one such name."""
    machine.write(f"lib/modules/{RELEASE}/modules.builtin", "kernel/a b.ko\nkernel/{{x}}.ko\n")
    machine.bound("pci0000:00/0000:00:01.0", "a b", modalias="x:y")
    machine.disk("pci0000:00/0000:00:01.0/block/sda", "8:0")
    machine.write(f"lib/modules/{RELEASE}/modules.alias", "alias x:* ../../evil\n")
    machine.mount("/", "8:0", "{{evil}}", "/dev/sda")
    assert machine.essential() == set()
