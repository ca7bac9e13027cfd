# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which /proc, its own settings and the record of an earlier boot hold anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.action import host_kernel_info, syscall_info
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health
from ansible_collections.oslab.kernel.plugins.plugin_utils import health as judgement
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import given
from hypothesis import strategies as st

FILES = {
    "proc/1/mountinfo": "30 1 254:1 / /a\\040b rw shared:1 - ext4 /dev/vda1 rw\n",
    "etc/fstab": "/dev/vda1 /a\\040b ext4 defaults 0 2\n",
    "proc/swaps": "Filename Type Size\n/dev/dm-3 partition 4096 0 -2\n",
    "proc/net/route": "x\neth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
    "proc/net/ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 {'1' * 32} 0 0 0 00450003 eth0\n",
    "proc/net/fib_trie": "     |-- 192.0.2.9\n        /32 host LOCAL\n",
    "proc/net/if_inet6": f"fd{'0' * 30} 02 40 00 80 eth0\n",
    "proc/net/tcp": "x\n   0: 00000000:0016 00000000:0000 0A 0:0\n",
    "proc/net/udp6": f"x\n   0: {'0' * 32}:0016 {'0' * 32}:0000 07 0:0\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "etc/resolv.conf": "nameserver 127.0.0.53\n",
    "etc/modules": "loop # x\n",
    "sys/class/net/eth0/address": "52:54:00:12:34:56\n",
    "sys/class/block/vda/size": "4096\n",
}
UNITS = (
    "Id=x.target\nActiveState=active\n\nId=ssh.service\nActiveState=active\nSubState=running\n"
    "WantedBy=x.target\nNRestarts=2\nJob=3\n\nId=a\n"
)
RECORD = {
    "release": "6.1",
    "boot_id": "before",
    "time": 1,
    "left_out": ["swap"],
    "kinds": {"unit": {"ssh.service": ["active (running)", 3]}, "mount": {"/": ["ext4", 3]}},
}
SETTINGS = judgement.Settings(health.KINDS, [])


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def prepare(root: Path) -> None:
    for name, text in FILES.items():
        write(root, name, text)
    write(root, "run/systemd/system/x", "")
    write(root, "proc/cmdline", "oslab.trial=6.12\n")
    write(root, "proc/sys/kernel/random/boot_id", "trial\n")


def check(root: Path, units: str) -> None:
    """Whatever there is, the answer has the form, and can be judged."""
    found = health.compare(health.Wanted((), (), 0), root, lambda _argv, _seconds: units)
    got = host_answer.plain({"health": json.loads(json.dumps(found)), "kernel_log": None})
    assert host_answer.problem(got, syscall_info.FORMS) == ""
    judgement.verdict(got["health"], SETTINGS)


@given(st.sampled_from([*FILES]), st.data())
def test_files(tmp_path: Path, name: str, data: st.DataObject) -> None:
    prepare(tmp_path)
    write(tmp_path, "proc/sys/kernel/osrelease", "6.1\n")
    write(tmp_path, health.RECORD, json.dumps(RECORD))
    write(tmp_path, name, data.draw(hostile.texts(FILES[name])))
    check(tmp_path, UNITS)
    text = health.encoded(health.gather(tmp_path, lambda _argv, _seconds: UNITS))
    form = host_kernel_info.FORMS["health"]
    assert host_answer.problem({"health": text}, {"health": form}) == ""
    assert health.decoded(json.loads(text)) is not None


@given(hostile.values(RECORD), hostile.texts(UNITS))
def test_a_record_and_units(tmp_path: Path, record: Any, units: str) -> None:
    prepare(tmp_path)
    write(tmp_path, health.RECORD, json.dumps(record))
    check(tmp_path, units)
