# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The structs agree with the UAPI header, the raw call with real syscalls."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi

ROOT = Path(__file__).resolve().parents[5]
HEADER = ROOT / "files/kernel/syscalls/oslab.h"
STRUCTS = {
    "mem_snapshot": (abi.MemSnapshot, 96),
    "syscall_usage_user": (abi.SyscallUsageUser, 32),
    "io_stats_user": (abi.IoStatsUser, 48),
}
GETPID, SYSINFO, CLOSE = 39, 99, 3  # x86-64

needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86-64")


def layout(struct: type[ctypes.Structure]) -> list[tuple[str, int, int]]:
    """(field, offset, size) in order."""
    fields = [entry[0] for entry in struct._fields_]
    return [(name, getattr(struct, name).offset, getattr(struct, name).size) for name in fields]


@pytest.mark.parametrize("name", STRUCTS)
def test_sizes_are_those_of_the_interface(name: str) -> None:
    struct, size = STRUCTS[name]
    assert ctypes.sizeof(struct) == size


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler")
def test_structs_are_those_of_the_header(tmp_path: Path) -> None:
    lines = []
    for name, (struct, _size) in STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        lines += [
            f'printf("{name}.{field} %zu %zu\\n", offsetof(struct {name}, {field}),'
            f" sizeof(((struct {name} *)0)->{field}));"
            for field, _offset, _field_size in layout(struct)
        ]
    source = tmp_path / "layout.c"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{HEADER}"\n'
        "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    )
    program = tmp_path / "layout"
    subprocess.run(["cc", "-o", str(program), str(source)], check=True)
    output = subprocess.run([str(program)], check=True, stdout=subprocess.PIPE).stdout.decode()
    expected = []
    for name, (struct, _size) in STRUCTS.items():
        expected.append(f"{name} {ctypes.sizeof(struct)}")
        expected += [f"{name}.{field} {offset} {size}" for field, offset, size in layout(struct)]
    assert output.splitlines() == expected


@pytest.mark.parametrize("name", STRUCTS)
def test_header_has_no_other_fields(name: str) -> None:
    text = HEADER.read_text()
    body = text.split(f"struct {name} {{", 1)[1].split("};", 1)[0]
    declared = [
        line.split(";")[0].split()[-1].split("[")[0] for line in body.splitlines() if ";" in line
    ]
    assert declared == [field for field, _offset, _size in layout(STRUCTS[name][0])]


@needs_x86_64
def test_raw_call_reaches_the_kernel() -> None:
    call = abi.raw_syscall()
    assert call(GETPID) == abi.Answer(os.getpid(), 0)
    assert call(SYSINFO, 8) == abi.Answer(-1, errno.EFAULT)
    assert call(CLOSE, -1) == abi.Answer(-1, errno.EBADF)
    # errno is that of this call, not what an earlier one left.
    assert call(GETPID).errno == 0


@needs_x86_64
def test_raw_call_passes_whole_addresses_and_results() -> None:
    call = abi.raw_syscall()
    buffer = ctypes.create_string_buffer(512)
    assert ctypes.addressof(buffer) > 2**32
    assert call(SYSINFO, ctypes.addressof(buffer)).returned == 0
    assert any(buffer.raw)
    # mmap(2), number 9, returns an address of more than 32 bits.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    assert call(9, 0, 4096, mmap.PROT_READ, flags, -1, 0).returned > 2**32


@pytest.mark.parametrize(
    ("number", "name"), [(0, None), (38, "ENOSYS"), (14, "EFAULT"), (3, "ESRCH"), (9999, "9999")]
)
def test_errno_name(number: int, name: str) -> None:
    assert abi.errno_name(number) == name


@pytest.mark.parametrize("number", [337, 463, 511, "463"])
def test_numbers_that_may_be_called(number: object) -> None:
    assert abi.check_number("x", number) == int(str(number))


@pytest.mark.parametrize("number", [-1, 0, 62, 335, 336, 512, 547, True, None, 463.0, "x", [463]])
def test_numbers_that_are_refused(number: object) -> None:
    with pytest.raises(abi.AbiError, match="the number of x"):
        abi.check_number("x", number)


def test_syscalls_refuse_a_bad_number_before_any_call() -> None:
    def never(*_arguments: int) -> abi.Answer:
        raise AssertionError("called")

    with pytest.raises(abi.AbiError):
        abi.Syscalls(never, {abi.CAPTURE: 62})


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("[]", "JSON object"), ('{"syscalls": [1]}', "names to numbers")],
)
def test_manifests_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(abi.AbiError, match=f"^/m.*{message}"):
        abi.parse_manifest(text, "/m")


def test_override_wins_over_manifest() -> None:
    manifest = abi.parse_manifest(json.dumps({"syscalls": {"a": 462, "b": 463}}), "/m")
    assert abi.merge_numbers(manifest, {"b": 470, "c": 471}) == {"a": 462, "b": 470, "c": 471}


def test_machine_problem() -> None:
    assert abi.machine_problem("x86_64", 8) == ""
    assert "x86_64 only" in abi.machine_problem("aarch64", 8)
    assert "32-bit" in abi.machine_problem("x86_64", 4)


def test_in_child_brings_the_value_home() -> None:
    parent = os.getpid()
    assert abi.in_child(lambda: [os.getpid() != parent, "x"]) == abi.Isolated([True, "x"], None)


def test_in_child_survives_a_killed_child() -> None:
    ended = abi.in_child(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert ended == abi.Isolated(None, "SIGKILL")


def test_in_child_survives_an_exception_and_an_exit() -> None:
    assert abi.in_child(lambda: 1 // 0).value is None
    assert abi.in_child(lambda: os._exit(0)) == abi.Isolated(None, None)


def test_in_child_does_not_wait_for_ever() -> None:
    started = time.monotonic()
    ended = abi.in_child(lambda: time.sleep(60), seconds=0.2)
    assert ended == abi.Isolated(None, None, late=True)
    assert time.monotonic() - started < 10


def test_in_child_does_not_wait_for_a_child_that_has_let_go_of_its_pipe() -> None:
    """As close_range() of a number would do, before another call blocks."""

    def close_and_sleep() -> None:
        os.closerange(3, 64)
        time.sleep(60)

    assert abi.in_child(close_and_sleep, seconds=0.2).late


def test_in_child_does_not_wait_for_one_that_cannot_be_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(abi, "_KILL_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda pid, number: pids.append(pid))
    pids: list[int] = []
    assert abi.in_child(lambda: time.sleep(2), seconds=0.1).late
    os.waitpid(pids[0], 0)


def test_in_child_leaves_the_parent_s_group_and_streams() -> None:
    """A number that is kill(0, …) or read(0, …) reaches nothing of the module's."""

    def look() -> list[Any]:
        streams = [str(Path(f"/proc/self/fd/{n}").readlink()) for n in range(3)]
        return [os.getpgrp() == os.getpid(), *streams]

    assert abi.in_child(look).value == [True, *["/dev/null"] * 3]


def test_in_child_takes_the_first_of_two_answers() -> None:
    """A number that is fork() returns twice."""

    def twice() -> list[int]:
        os.fork()
        return [1, 0]

    assert abi.in_child(twice).value == [1, 0]


@pytest.mark.parametrize("names", ["mine", [1], {"mine": 1}])
def test_names_that_must_not_be_called_are_a_list(names: Any) -> None:
    with pytest.raises(abi.AbiError, match="`not_called` must be a list of names"):
        abi.parse_manifest(json.dumps({"not_called": names}), "/m")


# --- as the module `oslab_kernel` of other programs


def test_it_is_a_module_without_ansible(tmp_path: Path) -> None:
    """-I -S: nothing but the standard library, as /usr/lib/python3/dist-packages has it."""
    shutil.copy(abi.__file__, tmp_path / "oslab_kernel.py")
    script = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import oslab_kernel as k\n"
        "assert not [name for name in sys.modules if 'ansible' in name]\n"
        "for call in (k.capture_memory_snapshot, k.track_syscall_usage, k.get_io_throttle):\n"
        "    try:\n"
        "        assert call()\n"
        "    except OSError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    path = abi.manifest_path(os.uname().release)
    if not Path(path).exists():
        lines = done.stdout.splitlines()
        assert len(lines) == 3
        for name, line in zip(abi.SYSCALL_NAMES, lines):
            assert line.startswith("[Errno 38] not supported by this kernel: [Errno 2]")
            assert path in line
            assert line.endswith(f"'{name}'")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A running kernel with numbers of its own, whose answer to every call can be set."""

    class Running:
        manifest = tmp_path / "oslab-kernel.json"
        answer = abi.Answer(0, 0)
        asked: tuple[int, ...] = ()

        def call(self, *words: int) -> abi.Answer:
            self.asked = words
            return self.answer

    kernel = Running()
    kernel.manifest.write_text(json.dumps({"syscalls": {abi.THROTTLE: 480, abi.TRACK: 481}}))
    monkeypatch.setattr(abi, "manifest_path", lambda _release: str(kernel.manifest))
    monkeypatch.setattr(abi, "machine_problem", lambda _machine: "")
    monkeypatch.setattr(abi, "raw_syscall", lambda: kernel.call)
    abi._running.cache_clear()
    yield kernel
    abi._running.cache_clear()


def test_programs_call_by_the_running_kernels_numbers(running: Any) -> None:
    assert list(abi.get_io_throttle(7)) == list(abi.IO_FIELDS)
    assert running.asked[:2] == (480, 7)
    abi.get_io_throttle()
    assert running.asked[:2] == (480, os.getpid())
    running.answer = abi.Answer(4, 0)
    abi.track_syscall_usage()
    assert (running.asked[0], running.asked[2]) == (481, 4)


@pytest.mark.parametrize(
    ("number", "exception"),
    [
        (errno.EPERM, PermissionError),
        (errno.ESRCH, ProcessLookupError),
        (errno.EINVAL, OSError),
        (errno.ENOSYS, OSError),
    ],
)
def test_programs_get_the_errno(running: Any, number: int, exception: type[OSError]) -> None:
    running.answer = abi.Answer(-1, number)
    with pytest.raises(exception, match=abi.THROTTLE) as raised:
        abi.get_io_throttle(7)
    assert raised.value.errno == number


@pytest.mark.parametrize("pid", [2**31, 2**32 + 1, -(2**31) - 1])
def test_a_pid_that_c_would_cut_is_refused(running: Any, pid: int) -> None:
    with pytest.raises(OverflowError):
        abi.get_io_throttle(pid)
    assert running.asked == ()


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("{}", "names no number of it"),
        ('{"syscalls": {"get_io_throttle": 62}}', "only 337 to 511 are called"),
        ('{"syscalls": 1}', "must map names to numbers"),
        ("{", "is not JSON"),
    ],
)
def test_a_manifest_without_a_usable_number_is_enosys(
    running: Any, manifest: str, why: str
) -> None:
    running.manifest.write_text(manifest)
    with pytest.raises(OSError, match=why) as raised:
        abi.get_io_throttle(7)
    assert raised.value.errno == errno.ENOSYS
    assert running.asked == ()
