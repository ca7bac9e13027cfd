# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_kernel_info, deploy_lock and their like read on a target."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import (
    boot_space,
    deploy_lock,
    kernel_module,
    kernel_sizes,
    modules_load,
    readiness,
    trial,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host import devices as host_devices
from ansible_collections.oslab.kernel.plugins.module_utils._host import facts as host_facts
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given
from hypothesis import strategies as st

RELEASE = "6.1.0-50-amd64"
MODULES = f"lib/modules/{RELEASE}"
MOUNTINFO = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
23 22 0:21 / /home/ada/my\\040files rw,nosuid - fuse.sshfs ada@host:/ rw,user_id=1000
24 22 254:2 / /boot rw - vfat /dev/mapper/boot rw
"""
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME=\'Debian 12\'\n# a comment\nX="$(a)\n'
ALIAS = "alias pci:v00008086d00000953sv*sd*bc*sc*i* nvme\nalias fs-ext4 ext4\nalias virtio:d*v* x\n"
DEPENDENCIES = "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2.ko.xz\nkernel/fs/jbd2.ko.xz:\n"
MANIFEST = json.dumps({"release": RELEASE, "build_id": "0" * 64, "syscalls": {"one": 462}})
EFIVARS = "sys/firmware/efi/efivars"

HOST = {
    "proc/sys/kernel/osrelease": f"{RELEASE}\n".encode(),
    "proc/sys/kernel/ostype": b"Linux\n",
    "proc/modules": b"ext4 1 2 - Live 0x0\nsnd-x 1 0 - Live 0x0\n",
    "proc/self/mountinfo": MOUNTINFO.encode(),
    "proc/cmdline": f"root=/dev/vda1 oslab.trial={RELEASE} quiet\n".encode(),
    "proc/1/environ": b"PATH=/bin\0container=lxc\0",
    "etc/os-release": OS_RELEASE.encode(),
    "etc/default/kexec": b"LOAD_KEXEC=true\n",
    "sbin/kexec": b"",
    "run/reboot-required": b"",
    "run/reboot-required.pkgs": b"linux-image-amd64\nlibc6\n",
    "var/lib/oslab-kernel/install.json": b'{"image": "linux-image=1", "boot_id": "x"}',
    "var/lib/oslab-kernel/trial-return.txt": b"it did not come up",
    f"boot/config-{RELEASE}": b"CONFIG_A=y\n",
    f"boot/vmlinuz-{RELEASE}": b"MZ",
    f"{MODULES}/oslab-kernel.json": MANIFEST.encode(),
    f"{MODULES}/modules.alias": ALIAS.encode(),
    f"{MODULES}/modules.dep": DEPENDENCIES.encode(),
    f"{MODULES}/modules.softdep": b"softdep ext4 pre: crc32c_generic\n",
    f"{EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": b"\6\0\0\0\1",
    f"{EFIVARS}/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f": b"\7\0\0\0" + b"\xa1" * 60,
    f"{EFIVARS}/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": (
        b"\6\0\0\0" + "systemd-boot 252".encode("utf-16-le")
    ),
    "sys/class/block/vda1/dm/uuid": b"LVM-x\n",
    "sys/class/block/vda1/md/level": b"raid5\n",
    "sys/class/watchdog/watchdog0/identity": b"i6300ESB timer\n",
    "sys/bus/virtio/devices/virtio0/device": b"0x0002\n",
    "sys/bus/pci/devices/0000:00/class": b"0x010601\n",
    "sys/bus/usb/devices/1-1/bInterfaceClass": b"03\n",
}
DPKG = "linux-image-1 6.12-oslab1.0123456789ab install ok installed\nx 1 hold ok half-installed\n"


@given(hostile.files(HOST), hostile.texts(DPKG, "systemd 252 (252.1)\n", "/boot/efi\n"))
def test_all_that_a_host_says(tmp_path: Path, tree: dict[str, Any], output: str) -> None:
    root = tmp_path / "root"
    hostile.put(root, tree)
    before = hostile.names(root)
    host = host_facts.Host(
        run=lambda argv: Result(0, output),
        root=root,
        machine=lambda: "x86_64",
        statvfs=lambda path: SimpleNamespace(f_bavail=1, f_frsize=4096),
        time=lambda: 1.0,
    )
    facts, warnings = host_facts.gather(host, ["linux-image-1"], ["/etc/os-release"])
    # As it goes to the control node.
    json.dumps(facts, allow_nan=False, ensure_ascii=False).encode()
    assert all(isinstance(warning, str) for warning in warnings)
    assert facts["boot_config"] in (None, f"{root}/boot/config-{facts['release']}")
    assert hostile.names(root) == before


@given(hostile.texts(OS_RELEASE))
def test_os_release(text: str) -> None:
    found = host_facts.parse_os_release(text)
    assert all("\n" not in name for name in found)


SPACES = st.sampled_from(["\x0b", "\x0c", "\x1c", "\x1d", "\x85", "\xa0", "\u2003", "\u2028", "\r"])


@example(end="\u2028", space="\u2003", where="point")
@given(SPACES, SPACES, st.sampled_from(["point", "source"]))
def test_no_user_names_the_root_file_system(end: str, space: str, where: str) -> None:
    """Who mounts something by FUSE chooses the names of directory and source."""
    fake = f"x{end}{space.join(['9', '1', '8:66', '/', '/', 'rw'])}"
    point, source = (
        (fake, "a") if where == "point" else ("/mnt", f"{fake}{space}-{space}ext4 /x rw")
    )
    line = f"40 22 0:41 / /home/ada/{point} rw,nosuid - fuse.sshfs {source} rw\n"
    found = host_devices.parse_mounts(MOUNTINFO + line)
    assert found["/"] == ("254:1", "ext4", "/dev/vda1")


@given(hostile.texts(MOUNTINFO))
def test_mounts(text: str) -> None:
    assert all(len(mount) == 3 for mount in host_devices.parse_mounts(text).values())


@given(
    hostile.texts(ALIAS),
    hostile.texts(DEPENDENCIES, "a.ko: b.ko\nb.ko: a.ko\n"),
    hostile.texts("softdep a pre: b post: a\n"),
    hostile.texts("pci:v00008086d00000953sv00sd00bc01sc08i02"),
)
def test_module_indexes(tmp_path: Path, alias: str, dep: str, soft: str, modalias: str) -> None:
    for name, text in (("alias", alias), ("dep", dep), ("softdep", soft)):
        (tmp_path / f"modules.{name}").write_text(text, encoding="utf-8", newline="")
    index = host_devices.ModuleIndex(tmp_path)
    assert index.resolve(modalias) <= index.closure(index.resolve(modalias))
    index.closure(["a", "ext4", ""])


def test_devices_that_hang_on_each_other(tmp_path: Path) -> None:
    for name, other in (("vda", "vdb"), ("vdb", "vda")):
        slaves = tmp_path / "devices" / name / "slaves"
        slaves.mkdir(parents=True)
        (slaves / other).symlink_to(f"../../{other}")
    devices = host_devices.Devices(tmp_path)
    found = list(devices.stack((tmp_path / "devices/vda").resolve()))
    assert [path.name for path in found] == ["vda", "vdb"]


@given(hostile.texts("systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT\n"))
def test_systemd(text: str) -> None:
    assert trial.systemd_version(text) >= 0
    trial.trial_of(text)


@given(hostile.files({"etc/default/kexec": HOST["etc/default/kexec"], "sbin/kexec": b""}))
def test_kexec(tmp_path: Path, tree: dict[str, Any]) -> None:
    hostile.put(tmp_path / "root", tree)
    boot_space.kexec_reboots(tmp_path / "root")
    readiness.pending_facts(tmp_path / "root", time.time())


LOCK = '{"run": "node 12 34", "text": "Ada on x", "until": 100.5}'


@given(hostile.contents(LOCK.encode(), b'{"run": [], "text": 1, "until": 1e999}'))
def test_locks(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    path.write_bytes(content)
    seen = deploy_lock.holder(path, "me", 50.0)
    other = deploy_lock.acquire(path, deploy_lock.Lock("me", "Bob", 200.0), 50.0)
    assert seen == other
    if other:
        assert int(other.until - 50.0) > 0
    else:
        assert deploy_lock.acquire(path, deploy_lock.Lock("me", "Bob", 300.0), 50.0) is None
    deploy_lock.release(path, "me")


@given(hostile.values({"run": "node 12 34", "text": "Ada", "until": 100.5}))
def test_locks_of_odd_values(value: Any) -> None:
    deploy_lock.parse(json.dumps(value))


@given(st.sampled_from(hostile.THINGS[1:]))
def test_a_lock_that_is_no_file(tmp_path: Path, thing: str) -> None:
    if thing == "dangling":
        return  # becomes a file
    hostile.put(tmp_path / "run", {"lock": thing})
    try:
        deploy_lock.acquire(tmp_path / "run/lock", deploy_lock.Lock("me", "Bob", 200.0), 50.0)
    except OSError:
        return
    raise AssertionError(thing)


PARAMETERS = {"x/initstate": b"live\n", "x/parameters/mode": b"292\n", "x/parameters/on": b"Y\n"}


@given(hostile.files(PARAMETERS), hostile.texts("0444", "1,2", "Y"))
def test_parameters(tmp_path: Path, tree: dict[str, Any], wanted: str) -> None:
    hostile.put(tmp_path / "module", tree)
    loaded = kernel_module.read_loaded("x", tmp_path / "module")
    kernel_module.different(loaded, {"mode": wanted, "on": wanted})
    kernel_module.as_number(wanted)


@given(hostile.files({"x.conf": modules_load.MARK.encode()}))
def test_files_of_modules(tmp_path: Path, tree: dict[str, Any]) -> None:
    hostile.put(tmp_path / "etc", tree)
    found = modules_load.present(tmp_path / "etc/x.conf")
    assert found is None or isinstance(found.encode(), bytes)


SIZES = {
    "proc/sys/kernel/osrelease": f"{RELEASE}\n".encode(),
    f"boot/vmlinuz-{RELEASE}": b"MZ",
    "boot/vmlinuz-6.²": b"MZ",
    "boot/vmlinuz-6.10": b"MZ",
    "var/lib/oslab-kernel/install.json": b'{"fallback": "6.10"}',
}


@given(hostile.files(SIZES))
def test_sizes(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree["proc/sys/kernel/osrelease"] = SIZES["proc/sys/kernel/osrelease"]
    hostile.put(tmp_path / "root", tree)
    kernel_sizes.table(kernel_sizes.gather(tmp_path / "root"))
