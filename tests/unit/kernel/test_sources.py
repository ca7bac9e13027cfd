# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said of the sources without compiling a kernel."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

LAYOUT = r"""
#include <stddef.h>
#include <oslab.h>
#define AT(type, field, offset) \
    _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
SIZE(mem_snapshot, 96);
AT(mem_snapshot, total_kb, 0);
AT(mem_snapshot, free_kb, 8);
AT(mem_snapshot, available_kb, 16);
AT(mem_snapshot, buffers_kb, 24);
AT(mem_snapshot, cached_kb, 32);
AT(mem_snapshot, shmem_kb, 40);
AT(mem_snapshot, slab_kb, 48);
AT(mem_snapshot, active_kb, 56);
AT(mem_snapshot, inactive_kb, 64);
AT(mem_snapshot, swap_total_kb, 72);
AT(mem_snapshot, swap_free_kb, 80);
AT(mem_snapshot, timestamp_ns, 88);
SIZE(syscall_usage_user, 32);
AT(syscall_usage_user, name, 0);
AT(syscall_usage_user, count, 16);
AT(syscall_usage_user, last_timestamp_ns, 24);
SIZE(io_stats_user, 48);
AT(io_stats_user, rchar, 0);
AT(io_stats_user, wchar, 8);
AT(io_stats_user, syscr, 16);
AT(io_stats_user, syscw, 24);
AT(io_stats_user, read_bytes, 32);
AT(io_stats_user, write_bytes, 40);
"""


@pytest.mark.parametrize("mode", ["-m64", "-m32", "-mx32"])
def test_layout_is_the_abi_for_every_caller(kernel: Path, mode: str) -> None:
    # -ffreestanding: the 32-bit C library need not be installed, only the kernel's headers.
    done = subprocess.run(
        ["gcc", mode, "-ffreestanding", "-fsyntax-only", f"-I{kernel}/syscalls",
         "-isystem", "/usr/include/x86_64-linux-gnu", "-x", "c", "-"],
        input=LAYOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def sources(kernel: Path) -> list[Path]:
    return [
        *sorted(kernel.glob("syscalls/*.[ch]")),
        *sorted(kernel.glob("modules/*.[ch]")),
        *sorted(kernel.glob("selftests/*.[ch]")),
        kernel.parents[1] / "tests/system/debug_kernel/init.c",
    ]


def test_checkpatch_has_nothing_to_say(tree: Path, kernel: Path) -> None:
    checkpatch = ["perl", str(tree / "scripts/checkpatch.pl"), "--strict", "--no-tree"]
    checkpatch += ["--no-summary", "--terse"]
    # For programs: ENOSYS is what a caller gets, and nobody defines __printf() for them.
    program = ["--ignore=ENOSYS,PREFER_DEFINED_ATTRIBUTE_MACRO"]
    output = ""
    for source in sources(kernel):
        extra = [] if source.parent.name in ("syscalls", "modules") else program
        output += subprocess.run(
            [*checkpatch, *extra, "-f", str(source)], capture_output=True, text=True, check=False
        ).stdout
    for patch in sorted(kernel.glob("patches/*.patch")):
        output += subprocess.run(
            [*checkpatch, str(patch)], capture_output=True, text=True, check=False
        ).stdout
    assert output == ""


def test_a_header_that_is_named_by_its_path_is_there(kernel: Path) -> None:
    """The programs of the test machines are compiled only when a kernel was, an hour later."""
    root = kernel.parents[1]
    for source in [
        *root.glob("tests/**/*.c"),
        *root.glob("bench/**/*.c"),
        *root.glob("files/**/*.c"),
    ]:
        for header in re.findall(r'^#include "(\.\./.*)"', source.read_text(), re.MULTILINE):
            assert (source.parent / header).is_file(), f"{source}: {header}"


@pytest.mark.parametrize("folder", ["tools", "selftests"])
def test_programs_compile_without_a_warning(kernel: Path, folder: str, tmp_path: Path) -> None:
    for name in (folder, "syscalls"):
        (tmp_path / name).mkdir()
        for source in (kernel / name).iterdir():
            if source.suffix in (".c", ".h") or source.name == "Makefile":
                (tmp_path / name / source.name).write_bytes(source.read_bytes())
    done = subprocess.run(
        ["make", "CFLAGS=-O2 -Werror"],
        cwd=tmp_path / folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("abi", "machine"), [("i386", 3), ("x32", 62)])
def test_programs_of_other_abis_are_made(
    kernel: Path, tmp_path: Path, abi: str, machine: int
) -> None:
    """A mistake in them would leave out the test, as a compiler that cannot does."""
    option = {"i386": "-m32", "x32": "-mx32"}[abi]
    argv = ["gcc", option, "-nostdlib", "-static", "-xc", "-", "-o", str(tmp_path / "any")]
    tried = subprocess.run(argv, input=b"void _start(void) {}", capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"this compiler makes no programs by {option}")
    goal = str(tmp_path / f"{abi}.elf")
    argv = ["make", "-s", f"O={tmp_path}", "ABI_WARNINGS=-Werror", goal]
    done = subprocess.run(
        argv, cwd=kernel / "selftests", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    header = Path(goal).read_bytes()[:20]
    assert header[:5] == b"\x7fELF\x01", done.stdout
    assert header[18] == machine
