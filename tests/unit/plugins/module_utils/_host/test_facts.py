# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts made of files: what is read from them."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import (
    Host,
    gather,
    parse_os_release,
)
from ansible_collections.oslab.kernel.plugins.modules import host_kernel_info
from ansible_collections.oslab.kernel.tests.lib.fake_machine import RELEASE, Machine


def test_facts(machine: Machine) -> None:
    machine.write("etc/os-release", "# c\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\n")
    machine.mount("/", "254:1", "ext4", "/dev/vda1")
    machine.write(f"boot/config-{RELEASE}", "CONFIG_A=y\n")
    machine.write("proc/uptime", "3600.97 7000.11\n")
    machine.write("proc/modules", "virtio_net 1 0 - Live 0x0\nnls-ascii 1 0 - Live 0x0\n")
    facts, warnings = machine.gather()
    assert warnings == []
    assert facts["boot_config"] == str(machine.root / f"boot/config-{RELEASE}")
    assert facts["boot_config_sha256"] == hashlib.sha256(b"CONFIG_A=y\n").hexdigest()
    expected = {
        "release": RELEASE,
        "sysname": "Linux",
        "boot_id": "b-o-o-t",
        "machine": "x86_64",
        "os_name": "Debian 12",
        "os_id": "debian",
        "os_version_id": "12",
        "dpkg_architecture": "amd64",
        "modules": ["nls_ascii", "virtio_net"],
        "oslab": None,
        "root_filesystem": "ext4",
        "root_device": "/dev/vda1",
        "efi": False,
        "secure_boot": False,
        "trusted_certificates": None,
        "free_kib": {"/boot": 4000, "/": 4000},
        "container": False,
        "uptime": 3600,
    }
    assert {key: facts[key] for key in expected} == expected
    # The module itself asks for these.
    more = {"boots_default_kernel", "modules_as_wanted", "kernel_log", "health"}
    # The control node adds when the answer came.
    assert {*facts, *more, "answered"} == set(yaml.safe_load(host_kernel_info.RETURN))


def test_a_bare_host(tmp_path: Path) -> None:
    def missing(path: str) -> Any:
        raise FileNotFoundError(path)

    facts, _warnings = Machine(tmp_path).gather(run=lambda argv: Result(127), statvfs=missing)
    assert facts["boot_config"] is facts["boot_config_sha256"] is facts["dpkg_architecture"] is None
    assert facts["modules"] == facts["essential_modules"] == []
    assert facts["free_kib"] == {}
    assert facts["uptime"] == 0
    assert facts["os_id"] == facts["os_name"] == facts["root_filesystem"] == ""


def test_manifest(machine: Machine) -> None:
    manifest = {"schema": 1, "release": RELEASE}
    machine.write(f"lib/modules/{RELEASE}/oslab-kernel.json", json.dumps(manifest))
    assert machine.gather()[0]["oslab"] == manifest


def test_our_kernels_in_the_order_of_their_installation(machine: Machine) -> None:
    for release in ("6.9-new", "6.8-again"):
        machine.write(f"lib/modules/{release}/oslab-kernel.json", "{}")
        time.sleep(0.02)
    assert machine.gather()[0]["oslab_releases"] == ["6.8-again", "6.9-new"]


@pytest.mark.parametrize("content", ["{not json", "[]"])
def test_a_broken_manifest_is_a_warning(machine: Machine, content: str) -> None:
    machine.write(f"lib/modules/{RELEASE}/oslab-kernel.json", content)
    facts, warnings = machine.gather()
    assert facts["oslab"] is None
    assert "oslab-kernel.json" in warnings[0]


@pytest.mark.parametrize(
    ("content", "expected"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False), (None, None)]
)
def test_secure_boot(machine: Machine, content: bytes | None, expected: bool | None) -> None:
    variables = machine.root / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    if content is not None:
        name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        (variables / name).write_bytes(content)
    facts, _warnings = machine.gather()
    assert facts["secure_boot"] is expected
    assert facts["efi"] is True


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("run/systemd/container", "lxc"),
        (".dockerenv", ""),
        ("proc/1/environ", "HOME=/\0container=podman\0"),
    ],
)
def test_container(machine: Machine, path: str, content: str) -> None:
    machine.write(path, content)
    assert machine.gather()[0]["container"] is True


def test_os_release() -> None:
    values = parse_os_release("ID=ubuntu\nVERSION_ID='24.04'\nODD=\"unclosed\nB\n")
    assert values == {"ID": "ubuntu", "VERSION_ID": "24.04", "ODD": '"unclosed'}


def test_installed_packages_and_the_record(machine: Machine) -> None:
    listed = (
        "a 1.0 install ok installed\nb 2 deinstall ok config-files\nc 3 hold ok installed\n"
        "d 4 install ok half-configured\ne  unknown ok not-installed\n"
        "h 6.8-oslab1.0123456789ab install ok installed\n"
        "f 5 install reinstreq half-installed\ng 6 install ok triggers-pending\n"
    )
    machine.write("var/lib/oslab-kernel/install.json", '{"image": "linux-image-6=1"}')
    host = Host(run=lambda argv: Result(0, listed), root=machine.root)
    facts, warnings = gather(host, ["a", "b", "d"])
    assert facts["packages"] == {"a": "1.0"}
    assert facts["packages_unfinished"] == ["d", "f", "g"]
    assert facts["packages_held"] == ["c"]
    assert facts["oslab_packages"] == {"h": "6.8-oslab1.0123456789ab"}
    assert facts["install_record"] == {"image": "linux-image-6=1"}
    assert warnings == []


def test_sums_of_files(machine: Machine) -> None:
    machine.write("etc/a", "text\n")
    host = Host(run=lambda argv: Result(0), root=machine.root)
    facts, _warnings = gather(host, files=["/etc/a", "/etc/b", "/etc"])
    expected = hashlib.sha256(b"text\n").hexdigest()
    assert facts["files"] == {"/etc/a": expected, "/etc/b": None, "/etc": None}


def test_a_broken_record_is_a_warning(machine: Machine) -> None:
    machine.write("var/lib/oslab-kernel/install.json", "{")
    facts, warnings = machine.gather()
    assert facts["install_record"] is None
    assert "not yet booted" in warnings[0]
