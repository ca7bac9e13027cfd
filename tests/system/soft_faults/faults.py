# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a kernel that boots, answers, and lacks or does something that it should not.

All of them are on one host at the same time, as no one hides another. Each is of the new kernel's
boots alone. Scripts run on the host as root, with RELEASE (the new kernel).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEALTH, LOG = "health", "log"


@dataclass(frozen=True)
class Soft:
    """One row."""

    name: str
    what: str
    # Where the report has it: HEALTH or LOG.
    place: str
    # Of what the report says: what was lost, or kind and first line of a complaint.
    pattern: str
    # Done once, in the old kernel.
    inject: str = ""
    # Whether it fails a host with the collection's defaults.
    by_default: bool = True

    def found(self, host: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What the report of the host says of it."""
        if self.place == HEALTH:
            entries = [
                (f"{one['what']}: {one['before']}", one) for one in host["health"]["changes"]
            ]
        else:
            entries = [
                (f"{one['kind']}: {' '.join(one['lines'][:1])}", one)
                for one in host["log"]["complaints"]
            ]
        return [one for text, one in entries if re.search(self.pattern, text)]


REMAINS = "Type=oneshot\nRemainAfterExit=yes"


def service(name: str, old: str, new: str, more: str = REMAINS) -> str:
    """One that every boot starts, and that does something else in the new kernel."""
    return f"""
cat >/root/{name} <<'END'
#!/bin/sh
if [ "$(uname -r)" = "$1" ]; then {new}
else {old}
fi
END
chmod 755 /root/{name}
cat >/etc/systemd/system/{name}.service <<END
[Unit]
After=network-online.target
Wants=network-online.target
[Service]
ExecStart=/root/{name} $RELEASE
{more}
[Install]
WantedBy=multi-user.target
END
systemctl -q enable --now {name}.service
"""


def needs(name: str, how: str, other: str) -> str:
    """It starts after another one."""
    unit = f"/etc/systemd/system/{name}.service"
    return f'sed -i "/^After/i {how}={other}.service\\nAfter={other}.service" {unit}\n'


def listening(name: str, old: str, new: str) -> str:
    """A program that listens somewhere, or sleeps."""
    return service(name, f"exec {old}", f"exec {new}", "Type=exec")


def complaining(name: str, command: str) -> str:
    return service(name, ":", f"{command}; :")


def server(address: str, port: int) -> str:
    listen = f'kept = socket.create_server(("{address}", {port}))'
    return f"python3 -c 'import socket, time; {listen}; time.sleep(1e9)'"


# Without a route the network of an emulated machine is not up yet.
DEVICE = "until ip -o route get 10.0.2.2; do sleep 1; done >/dev/null 2>&1; "
DEVICE += 'device=$(ip -o route get 10.0.2.2 | sed "s/.* dev \\([^ ]*\\) .*/\\1/")'
# What soft.c can do; each has a module of its own, as a name is loaded once at a time.
COMPLAINTS = ("warn", "late", "atomic", "hung", "firmware")
# No program looks there by itself.
BAD_SECTOR = 10_001


def insmod(kind: str) -> str:
    return f"insmod /root/soft_{kind}.ko kind={kind}"


FAULTS: Sequence[Soft] = (
    # --- drivers that the new kernel lacks ------------------------------------------------------
    Soft(
        "nic-driver",
        "the driver of a second network card is missing",
        HEALTH,
        r"^device pci .*: vmxnet3",
    ),
    Soft(
        "nic-link",
        "that card's link is not there",
        HEALTH,
        r"^link .*52:54:00:50:f7:01",
        by_default=False,
    ),
    Soft(
        "disk-driver",
        "the driver of a second disk is missing",
        HEALTH,
        r"^device pci .*: nvme",
    ),
    Soft(
        "disk",
        "that disk is not there",
        HEALTH,
        r"^disk nvme",
        by_default=False,
    ),
    Soft(
        "mount-of-disk",
        "a file system of that disk is not mounted",
        HEALTH,
        r"^mount /mnt/disk",
        """
mkfs.ext4 -q /dev/nvme0n1; mkdir /mnt/disk
echo '/dev/nvme0n1 /mnt/disk ext4 nofail,x-systemd.device-timeout=60 0 2' >>/etc/fstab
mount /mnt/disk
""",
    ),
    Soft(
        "file-system",
        "the driver of a file system is missing",
        HEALTH,
        r"^mount /mnt/btrfs",
        """
zcat /root/btrfs.gz | dd of=/dev/vdb bs=1M status=none; mkdir /mnt/btrfs
echo '/dev/vdb /mnt/btrfs btrfs nofail 0 0' >>/etc/fstab
mount /mnt/btrfs
""",
    ),
    Soft(
        "module",
        "a module of modules-load.d is missing",
        HEALTH,
        r"^module dm_mod",
        "echo dm_mod >/etc/modules-load.d/soft.conf; modprobe dm_mod",
        by_default=False,
    ),
    # --- what does not work, or not as before ---------------------------------------------------
    Soft(
        "read-only",
        "a file system is mounted read-only",
        HEALTH,
        r"^mount /mnt/tmp",
        "mkdir /mnt/tmp; echo 'tmpfs /mnt/tmp tmpfs size=1m 0 0' >>/etc/fstab; mount /mnt/tmp\n"
        + service("soft-read-only", ":", "mount -o remount,ro /mnt/tmp"),
    ),
    Soft(
        "default-route",
        "there is no default route",
        HEALTH,
        r"^default route IPv4",
        service("soft-default-route", ":", "sleep 3; ip route del default"),
    ),
    Soft(
        "route",
        "a route is missing",
        HEALTH,
        r"^route .*203\.0\.113\.0/24",
        service("soft-route", f"{DEVICE}; ip route add 203.0.113.0/24 via 10.0.2.2", ":"),
        by_default=False,
    ),
    Soft(
        "address",
        "an address is missing",
        HEALTH,
        r"^address .*198\.51\.100\.7",
        service("soft-address", f"{DEVICE}; ip address add 198.51.100.7/32 dev $device", ":"),
        by_default=False,
    ),
    Soft(
        "name-server",
        "a name server is missing",
        HEALTH,
        r"^name server .*192\.0\.2\.53",
        service(
            "soft-name-server",
            "grep -q 192.0.2.53 /etc/resolv.conf || echo nameserver 192.0.2.53 >>/etc/resolv.conf",
            "sed -i /192.0.2.53/d /etc/resolv.conf",
        ),
        by_default=False,
    ),
    Soft(
        "unit-fails",
        "a service fails",
        HEALTH,
        r"^unit soft-fails\.service",
        service("soft-fails", ":", "exit 1"),
    ),
    Soft(
        "unit-restarts",
        "a service ends again and again",
        HEALTH,
        r"^unit soft-restarts\.service",
        service(
            "soft-restarts",
            "exec sleep infinity",
            "exit 1",
            "Type=exec\nRestart=always\nRestartSec=1",
        ),
    ),
    Soft(
        "unit-skipped",
        "a service is not started, as its condition does not hold",
        HEALTH,
        r"^unit soft-skipped\.service",
        service("soft-skipped", "exec sleep infinity", ":", "Type=exec")
        + 'sed -i "/^After/i ConditionKernelVersion=!$RELEASE" '
        "/etc/systemd/system/soft-skipped.service\n",
    ),
    Soft(
        "unit-once",
        "a service that ends at once fails",
        HEALTH,
        r"^unit soft-once\.service",
        service("soft-once", ":", "exit 1", "Type=oneshot"),
    ),
    Soft(
        "unit-untried",
        "a service is not started, as one that it needs has failed",
        HEALTH,
        r"^unit soft-untried\.service",
        service("soft-untried", ":", ":") + needs("soft-untried", "Requires", "soft-fails"),
    ),
    Soft(
        "unit-hangs",
        "the start of a service does not end",
        HEALTH,
        r"^unit soft-hangs\.service",
        service("soft-hangs", ":", "sleep infinity", f"{REMAINS}\nTimeoutStartSec=infinity"),
    ),
    Soft(
        "unit-queued",
        "a service waits for the start of that one",
        HEALTH,
        r"^unit soft-queued\.service",
        service("soft-queued", "exec sleep infinity", "exec sleep infinity", "Type=exec")
        + needs("soft-queued", "Wants", "soft-hangs"),
    ),
    Soft(
        "port",
        "a service runs, and nobody listens on its port",
        HEALTH,
        r"^socket tcp port 7001",
        listening("soft-port", server("0.0.0.0", 7001), "sleep infinity"),
    ),
    Soft(
        "port-local",
        "only the host itself reaches a port",
        HEALTH,
        r"^socket tcp port 7002",
        listening("soft-port-local", server("0.0.0.0", 7002), server("127.0.0.1", 7002)),
    ),
    Soft(
        "swap",
        "there is no swap",
        HEALTH,
        r"^swap /swap\.img",
        "fallocate -l 32M /swap.img; chmod 600 /swap.img; mkswap -q /swap.img 2>/dev/null\n"
        "echo '/swap.img none swap sw 0 0' >>/etc/fstab; swapon /swap.img\n"
        + service("soft-swap", ":", "swapoff /swap.img"),
        by_default=False,
    ),
    Soft(
        "clock-source",
        "the clock source is a slow one",
        HEALTH,
        r"^(system )?clock ?source",
        service(
            "soft-clock",
            ":",
            "echo acpi_pm >/sys/devices/system/clocksource/clocksource0/current_clocksource",
        ),
        by_default=False,
    ),
    # --- what the kernel complains of -----------------------------------------------------------
    Soft(
        "warn",
        "a WARN while services start",
        LOG,
        r"^warn: .*soft_warn\+",
        complaining("soft-warn", insmod("warn")),
    ),
    Soft(
        "warn-later",
        "a WARN when the host is up",
        LOG,
        r"^warn: .*soft_warn_late",
        complaining("soft-late", insmod("late")),
    ),
    Soft(
        "atomic",
        "a task that sleeps where it must not",
        LOG,
        r"^atomic: ",
        complaining("soft-atomic", insmod("atomic")),
    ),
    Soft(
        "hung-task",
        "a task that nothing wakes",
        LOG,
        r"^hung_task: ",
        complaining("soft-hung", f"sysctl -q -w kernel.hung_task_timeout_secs=5; {insmod('hung')}"),
    ),
    Soft(
        "io-error",
        "a sector of a disk that cannot be read",
        LOG,
        r"^io_error: .*dev vd",
        complaining(
            "soft-io",
            "dd if=/dev/disk/by-id/virtio-bad of=/dev/null bs=512 count=1 iflag=direct "
            f"skip={BAD_SECTOR}",
        ),
    ),
    Soft(
        "firmware",
        "a firmware that is not there",
        LOG,
        r"^firmware: .*soft-fault\.bin",
        complaining("soft-firmware", insmod("firmware")),
        by_default=False,
    ),
    Soft(
        "out-of-memory",
        "the kernel ends a program for its memory",
        LOG,
        r"^oom: ",
        # As sysrq asks for it: a machine that is emulated would look for free pages for minutes.
        complaining(
            "soft-oom",
            "sleep 600 & echo 1000 >/proc/$!/oom_score_adj; echo f >/proc/sysrq-trigger",
        ),
        by_default=False,
    ),
    Soft(
        "taint",
        "a taint that no message explains",
        LOG,
        r"^taint: .*(U|asked for this flag)",
        complaining("soft-taint", "echo 64 >/proc/sys/kernel/tainted"),
        by_default=False,
    ),
)
