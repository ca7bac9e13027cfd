# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of pstore, where the kernel shows them and where systemd has moved them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import pstore

RELEASE = "6.12.117-49-usac1"
NOW = 1764435000
LATER = """Panic#1 Part1
<4>[    9.321] RIP: 0010:init_module+0x20/0x1000 [fault]
<4>[    9.322] CPU: 0 PID: 312 Comm: insmod Tainted: G           O       6.12.117-49-usac1 #1
<0>[    9.400] Kernel panic - not syncing: Fatal exception
"""
PANIC = "Kernel panic - not syncing: Fatal exception"
EARLIER = """Panic#1 Part2
<6>[    9.100] fault: loading out-of-tree module taints kernel.
<1>[    9.320] BUG: kernel NULL pointer dereference, address: 0000000000000000
"""


def put(root: Path, place: str, text: str, seconds: float = NOW) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (seconds, seconds))
    return path


def lines(root: Path, since: float = NOW - 100) -> list[list[str]]:
    return [[*one.lines] for one in pstore.records(root, since, RELEASE)]


@pytest.mark.parametrize(
    "directory", ["sys/fs/pstore", f"var/lib/systemd/pstore/{NOW}/001", "var/lib/systemd/pstore"]
)
@pytest.mark.parametrize("backend", ["efi", "efi_pstore"])
def test_parts_of_a_panic_are_in_their_order(tmp_path: Path, directory: str, backend: str) -> None:
    for part, text in ((1, LATER), (2, EARLIER)):
        # Moved long after it was written: the time is in the name.
        name = f"dmesg-{backend}-{NOW}{part:02}001"
        put(tmp_path, f"{directory}/{name}", text, NOW + 9999)
    put(tmp_path, f"{directory}/dmesg.txt", "of no interest")
    [found] = lines(tmp_path)
    assert found[1].startswith("BUG: kernel NULL pointer dereference")
    assert found[-1] == "Kernel panic - not syncing: Fatal exception"
    [record] = pstore.records(tmp_path, NOW - 100, RELEASE)
    assert (record.source, Path(record.name).parent) == ("pstore", tmp_path / directory)


def test_what_is_in_both_places_is_read_once(tmp_path: Path) -> None:
    for directory in pstore.PLACES:
        put(tmp_path, f"{directory}/dmesg-efi_pstore-{NOW}01001", LATER)
    [found] = lines(tmp_path)
    assert len(found) == 3


def test_ramoops_and_erst(tmp_path: Path) -> None:
    put(tmp_path, "sys/fs/pstore/dmesg-ramoops-0", LATER)
    put(tmp_path, "var/lib/systemd/pstore/dmesg-erst-7312345", "Oops#1 Part1\n<1>BUG: x\n", NOW + 9)
    assert [one[-1] for one in lines(tmp_path)] == [
        "BUG: x",
        LATER.rsplit("] ", maxsplit=1)[-1].rstrip(),
    ]


def test_records_of_another_time_and_kernel_are_the_users(tmp_path: Path) -> None:
    old = put(tmp_path, "sys/fs/pstore/dmesg-ramoops-0", LATER, NOW - 1000)
    put(tmp_path, f"sys/fs/pstore/dmesg-efi_pstore-{NOW - 1000}01001", LATER)
    other = put(tmp_path, "sys/fs/pstore/dmesg-ramoops-1", LATER.replace(RELEASE, "6.1.0-44-amd64"))
    assert lines(tmp_path) == []
    assert old.exists() and other.exists(), "nothing is removed"
    assert len(lines(tmp_path, since=0)) == 2


def test_what_is_no_record_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "sys/fs/pstore/dmesg-ramoops-0.enc.z", "\0")
    put(tmp_path, "sys/fs/pstore/pmsg-ramoops-0", "secrets of programs")
    os.mkfifo(tmp_path / "sys/fs/pstore/dmesg-ramoops-5")
    put(tmp_path, "var/lib/systemd/pstore/a/b/c/d/dmesg-ramoops-0", LATER)
    assert lines(tmp_path) == []
    assert lines(tmp_path / "nowhere") == []


def test_there_are_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        put(tmp_path, f"sys/fs/pstore/dmesg-erst-{number}", f"<0>panic {number}\n", NOW + number)
    assert lines(tmp_path) == [["panic 8"], ["panic 7"], ["panic 6"]]
    monkeypatch.setattr(pstore, "MOST_FILES", 2)
    assert lines(tmp_path) == [["panic 1"], ["panic 0"]]


@pytest.mark.parametrize(
    ("text", "wanted"), [("efi_pstore\n", "efi_pstore"), ("(null)\n", ""), (None, "")]
)
def test_the_backend(tmp_path: Path, text: str | None, wanted: str) -> None:
    if text is not None:
        put(tmp_path, pstore.BACKEND, text)
    assert pstore.backend(tmp_path) == wanted
