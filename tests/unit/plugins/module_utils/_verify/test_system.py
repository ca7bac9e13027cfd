# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it does on this very machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare
from ansible_collections.oslab.kernel.plugins.module_utils._verify import system as hs
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import Answer

CALLS = 50

needs_io = pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no I/O accounting")


@pytest.fixture
def system() -> hs.System:
    return hs.System(lambda command: Result(1))


def own_io() -> dict[str, int]:
    return compare.parse_keyed(Path("/proc/self/io").read_text())


def test_the_name_is_the_kernel_s_own(system: hs.System, monkeypatch: pytest.MonkeyPatch) -> None:
    names = os.uname()
    # As under an interpreter that calls every system Linux.
    monkeypatch.setattr(system, "read", {"/proc/sys/kernel/ostype": b"My  Linux \n"}.__getitem__)
    assert system.uname() == ("My  Linux ", names.release, names.machine)


def test_without_sysctl_the_name_is_that_of_uname(
    system: hs.System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_path: str) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(system, "read", read)
    assert system.uname().sysname == os.uname().sysname


@needs_io
def test_workload_reads_and_writes_what_it_says(system: hs.System) -> None:
    before = own_io()
    looking = own_io()["syscr"] - before["syscr"]
    before = own_io()
    system.workload(CALLS)
    after = own_io()
    assert after["syscr"] - before["syscr"] == CALLS + looking
    assert after["syscw"] - before["syscw"] == CALLS


def test_workload_leaves_nothing_behind(system: hs.System) -> None:
    descriptors = sorted(map(str, Path("/proc/self/fd").iterdir()))
    threads = set(threading.enumerate())
    system.workload(CALLS)
    system.threads(CALLS)
    assert sorted(map(str, Path("/proc/self/fd").iterdir())) == descriptors
    assert set(threading.enumerate()) <= threads
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@needs_io
def test_stopped_child_stands_still_and_goes(system: hs.System) -> None:
    with system.stopped_child() as pid:
        first = system.read(f"/proc/{pid}/io")
        assert "State:\tT" in system.read(f"/proc/{pid}/status").decode()
        assert compare.parse_keyed(first.decode())["rchar"] >= 2 * 12345  # two threads
        assert system.read(f"/proc/{pid}/io") == first
    assert not system.exists(f"/proc/{pid}")


def test_process_io_leaves_this_process_out(system: hs.System) -> None:
    assert os.getpid() not in system.process_io()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_as_nobody(system: hs.System) -> None:
    assert system.as_nobody(lambda: Answer(os.geteuid(), os.getegid())) == (hs.NOBODY, hs.NOBODY)
    assert os.geteuid() == 0


def test_coarse_clock_is_never_ahead(system: hs.System) -> None:
    for _attempt in range(1000):
        coarse = system.coarse_ns()
        assert 0 <= system.monotonic_ns() - coarse < 10**9


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (b"6,1,0,-;Linux version 6.8\n SUBSYSTEM=acpi\n DEVICE=x\n", [b"Linux version 6.8"]),
        (rb"4,2,0,-;\xc2\xa1A programar! \xf0\x9f\x9a\x80", ["¡A programar! 🚀".encode()]),
        (rb"4,2,0,-;a \x5c b; \x5cx41", [rb"a \ b; \x41"]),
        (rb"4,2,0,-,caller=T1;two\x0alines" + b"\n", [b"two", b"lines"]),
        (b"4,3,0,-;\n", [b""]),
    ],
)
def test_kmsg_record(record: bytes, lines: list[bytes]) -> None:
    assert hs.parse_kmsg_record(record) == lines


@pytest.mark.parametrize("name", ["x\n¡Bienvenido!\n", "\nLinux version ", "¡Bienvenido!\n"])
def test_no_process_speaks_for_the_kernel(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that crashes chooses the name with which the kernel reports it."""
    escaped = name.replace("\n", r"\x0a")
    records = [
        b"6,1,0,-;first",
        f"6,2,0,-;{escaped}[12]: segfault at 0 ip 0".encode(),
        b"6,3,0,-;last",
        b"",
    ]
    (tmp_path / "kmsg").touch()
    monkeypatch.setattr(hs.os, "read", lambda descriptor, size: records.pop(0))
    assert hs.read_kmsg(str(tmp_path / "kmsg")) == [b"first", b"last"]


@pytest.mark.skipif(not os.access("/dev/kmsg", os.R_OK), reason="/dev/kmsg cannot be read")
def test_kmsg_of_this_machine() -> None:
    lines = hs.read_kmsg()
    assert lines
    assert not any(line.startswith(b"<") for line in lines)


def test_journal_is_asked_for_this_boot() -> None:
    asked = []

    def run(command: object) -> Result:
        asked.append(command)
        return Result(0, "Linux version\n¡A\n")

    ((_kmsg, _read), (source, journal)) = hs.System(run).kernel_log()
    assert journal() == [b"Linux version", "¡A".encode()]
    assert source == "the journal"
    assert asked == [hs._JOURNAL]
    assert hs.System(lambda command: Result(127)).kernel_log()[1][1]() == []
