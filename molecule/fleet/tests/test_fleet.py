# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kernel runs on both machines, though each has hardware that the other has not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import testinfra

NAMES = ("target-1", "target-2")
# Option of the kernel -> the module, and which machine cannot do without it.
DRIVERS = {
    "VIRTIO_BLK": ("virtio_blk", "target-1"),
    "VIRTIO_NET": ("virtio_net", "target-1"),
    "SCSI_VIRTIO": ("virtio_scsi", "target-2"),
    "BLK_DEV_SD": ("sd_mod", "target-2"),
    "VMXNET3": ("vmxnet3", "target-2"),
}


@pytest.fixture(scope="module")
def fleet(request: pytest.FixtureRequest) -> dict[str, Any]:
    inventory = request.config.getoption("--ansible-inventory")
    return {
        name: testinfra.get_host(f"ansible://{name}", ansible_inventory=inventory) for name in NAMES
    }


def config(host: Any) -> dict[str, str]:
    text = host.check_output("cat /boot/config-%s", host.check_output("uname -r"))
    return dict(
        line[len("CONFIG_") :].split("=", 1)
        for line in text.splitlines()
        if line.startswith("CONFIG_")
    )


def loaded(host: Any) -> set[str]:
    return {line.split()[0] for line in host.check_output("cat /proc/modules").splitlines()}


def manifest(host: Any) -> dict[str, Any]:
    release = host.check_output("uname -r")
    found: dict[str, Any] = json.loads(
        host.check_output("cat /lib/modules/%s/oslab-kernel.json", release)
    )
    return found


def test_both_run_one_build(fleet: dict[str, Any]) -> None:
    builds = {manifest(host)["build_id"] for host in fleet.values()}
    assert len(builds) == 1
    notes = {host.check_output("sha256sum < /sys/kernel/notes") for host in fleet.values()}
    assert len(notes) == 1


@pytest.mark.parametrize("option", DRIVERS)
def test_the_kernel_has_the_drivers_of_both(fleet: dict[str, Any], option: str) -> None:
    for host in fleet.values():
        assert config(host).get(option) in ("m", "y")


@pytest.mark.parametrize("option", DRIVERS)
def test_a_driver_is_in_use_where_the_hardware_is(fleet: dict[str, Any], option: str) -> None:
    module, machine = DRIVERS[option]
    # Else the kernels of both would need no union.
    assert {name for name, host in fleet.items() if module in loaded(host)} == {machine}


def test_localmodconfig_left_out_what_neither_has(fleet: dict[str, Any]) -> None:
    for host in fleet.values():
        assert not {"XEN_BLKDEV_FRONTEND", "VMWARE_PVSCSI", "ENA_ETHERNET"} & config(host).keys()


def test_each_has_confirmed_it(fleet: dict[str, Any]) -> None:
    for host in fleet.values():
        assert json.loads(host.check_output("cat /var/lib/oslab-kernel/install.json"))["confirmed"]
        saved = host.check_output("grub-editenv list")
        assert manifest(host)["release"] in saved
