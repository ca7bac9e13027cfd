# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""syscall_abi: the structs agree with the UAPI header, the raw call with real syscalls."""

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
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import syscall_abi as abi

ROOT = Path(__file__).resolve().parents[4]
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
    said = subprocess.run([str(program)], check=True, stdout=subprocess.PIPE).stdout.decode()
    expected = []
    for name, (struct, _size) in STRUCTS.items():
        expected.append(f"{name} {ctypes.sizeof(struct)}")
        expected += [f"{name}.{field} {offset} {size}" for field, offset, size in layout(struct)]
    assert said.splitlines() == expected


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
