# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources compiled in real trees: W=1 and sparse are silent, and switched off they are gone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib import kernel_trees, own_modules

pytestmark = pytest.mark.skipif(
    os.environ.get("OSLAB_KERNEL_BUILD") != "1", reason="OSLAB_KERNEL_BUILD is not 1"
)

OURS = ["capture_memory_snapshot", "track_syscall_usage", "get_io_throttle"]
TOUCHED = ["fs/open.o", "fs/read_write.o", "kernel/fork.o", "arch/x86/kernel/sys_ia32.o"]
# What a machine runs, and what it reads while running. Left out are line numbers, which move
# below a hook: those of WARN()s (__bug_table), in names of initcalls and in debugging data.
CODE = (".text", ".data", ".rodata", ".bss", ".init.text")


def run(argv: list[str], cwd: str) -> tuple[int, str]:
    done = subprocess.run(
        argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def make(tree: Path, *arguments: str) -> str:
    status, output = run(["make", f"-j{os.environ.get('OSLAB_JOBS', '1')}", *arguments], str(tree))
    assert status == 0, output[-4000:]
    return output


def sparse() -> list[str]:
    # Debian 12's sparse does not know the newer spelling; for checking both are the same.
    command = os.environ.get("OSLAB_SPARSE", "sparse")
    return ["C=2", f"CHECK={command} -D__typeof_unqual__=__typeof__"]


def complaints(output: str, names: list[str]) -> list[str]:
    """Warnings and errors that name one of our files."""
    return [
        line
        for line in output.splitlines()
        if re.search(r"\b(warning|error)\b", line) and any(name in line for name in names)
    ]


@pytest.fixture(scope="session")
def stock(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, configured, with the touched objects as the stock kernel has them."""
    copy = tmp_path_factory.mktemp(tree.name) / "linux"
    run(["cp", "-a", "--reflink=auto", str(tree), str(copy)], "/")
    make(copy, "-s", "defconfig", "modules_prepare")
    make(copy, *TOUCHED)
    for name in TOUCHED:
        shutil.copy(copy / name, copy / f"{name}.stock")
    return copy


@pytest.fixture(scope="session")
def patched(stock: Path) -> Path:
    """The same copy, patched as the role does by default, all options on."""
    kernel_trees.patch(stock)
    make(stock, "-s", "olddefconfig", "modules_prepare")
    return stock


def code(path: Path) -> dict[str, str]:
    """Section → contents, of those that a machine runs or reads."""
    _, table = run(["objdump", "-h", str(path)], "/")
    sections = re.findall(r"^\s*\d+ (\S+)", table, re.MULTILINE)
    return {
        name: run(["objdump", "-drs", "-j", name, str(path)], "/")[1].split("\n", 2)[2]
        for name in sections
        if name.startswith(CODE)
    }


def test_objects_compile_in_silence(patched: Path) -> None:
    objects = [f"kernel/{name}.o" for name in OURS]
    output = make(patched, "W=1", *sparse(), *objects, "kernel/sys_ni.o", *TOUCHED)
    assert complaints(output, [*OURS, "oslab", "sys_ni", "sys_ia32"]) == []


def test_modules_compile_in_silence(patched: Path, kernel: Path, tmp_path: Path) -> None:
    work = tmp_path / "modules"
    work.mkdir()
    for source in (kernel / "modules").iterdir():
        if source.suffix in (".c", ".h") or source.name == "Makefile":
            shutil.copy(source, work)
    output = make(work, f"KDIR={patched}", "KBUILD_MODPOST_WARN=1", "W=1", *sparse())
    # There is no Module.symvers without a whole kernel, so nothing that modules use is known.
    rest = [
        line
        for line in complaints(output, [*own_modules.MODULES, "oslab"])
        if "modpost" not in line
    ]
    assert rest == []
    assert sorted(path.stem for path in work.glob("*.ko")) == own_modules.MODULES


def test_switched_off_nothing_is_left(patched: Path) -> None:
    config = patched / "scripts/config"
    run([str(config), "--disable", "OSLAB_SYSCALLS"], str(patched))
    make(patched, "-s", "olddefconfig")
    make(patched, *TOUCHED)
    for name in TOUCHED:
        assert code(patched / name) == code(patched / f"{name}.stock"), name
    run([str(config), "--enable", "OSLAB_SYSCALLS"], str(patched))
    make(patched, "-s", "olddefconfig")
    make(patched, *TOUCHED)
    for name in TOUCHED:
        assert code(patched / name) != code(patched / f"{name}.stock"), name


def test_user_mode_linux_is_left_alone(patched: Path, tmp_path: Path) -> None:
    """It has X86_64 and this table of syscalls, and none of the entry code."""
    um = ("ARCH=um", f"O={tmp_path}")
    copy = tmp_path / "linux"
    run(["cp", "-a", "--reflink=auto", str(patched), str(copy)], "/")
    make(copy, "-s", "mrproper")
    make(copy, *um, "-s", "defconfig", "prepare")
    assert "OSLAB" not in (tmp_path / ".config").read_text().replace("# CONFIG_OSLAB", "")
    make(copy, *um, *TOUCHED[:3], "kernel/sys_ni.o", "arch/x86/um/sys_call_table_64.o")


def test_another_architecture_compiles_as_before(patched: Path, tmp_path: Path) -> None:
    """Clang needs no other compiler for it."""
    llvm = os.environ.get("OSLAB_LLVM") or "1"
    suffix = llvm if llvm.startswith("-") else ""
    missing = [name for name in ("clang", "ld.lld", "llvm-ar") if not shutil.which(name + suffix)]
    if missing:
        pytest.skip(f"no {missing[0]}{suffix}: OSLAB_LLVM=-19 takes the programs of version 19")
    arm64 = ("ARCH=arm64", f"LLVM={llvm}", f"O={tmp_path / 'build'}")
    copy = tmp_path / "linux"
    run(["cp", "-a", "--reflink=auto", str(patched), str(copy)], "/")
    make(copy, "-s", "mrproper")
    make(copy, *arm64, "-s", "defconfig", "prepare")
    config = (tmp_path / "build/.config").read_text()
    assert "OSLAB" not in config.replace("# CONFIG_OSLAB", "")
    make(copy, *arm64, *TOUCHED[:3], "kernel/sys_ni.o", "arch/arm64/kernel/sys.o")


def stores_until_counted(listing: str, function: str) -> list[str]:
    """Where a function writes, from its start until it has counted and goes elsewhere."""
    found: list[str] = []
    counted = False
    body = listing.partition(f"<{function}>:\n")[2].partition("\n\n")[0]
    for line in body.splitlines():
        code, _, operands = line.split("\t")[-1].split("#")[0].strip().partition(" ")
        target = re.split(r",(?![^(]*\))", operands.strip())[-1]
        assert code != "lock", line
        in_memory = target.startswith("%gs:") or target.endswith(")")
        if in_memory and not code.startswith(("cmp", "test", "nop")):
            found.append(target)
        counted = counted or (code == "incq" and target.startswith("%gs:"))
        if counted and code.startswith(("decl", "j", "call", "ret")):
            return found
    raise AssertionError(f"{function} does not count")


@pytest.mark.parametrize("call", ["read", "write"])
def test_counting_writes_to_its_own_cpu_only(patched: Path, call: str) -> None:
    _, listing = run(["objdump", "-d", "--no-show-raw-insn", "fs/read_write.o"], str(patched))
    stores = stores_until_counted(listing, f"__x64_sys_{call}")
    assert len(stores) >= 2, stores
    own = ("%gs:", "(%rsp)")  # its own memory, the task's stack
    assert [store for store in stores if not store.startswith(own)] == []


def test_the_counters_of_a_cpu_share_no_cache_line(patched: Path) -> None:
    """They have a section for aligned variables, and fill whole lines in it."""
    path = "kernel/track_syscall_usage.o"
    make(patched, path)
    _, symbols = run(["objdump", "-t", path], str(patched))
    row = next(line.split() for line in symbols.splitlines() if line.endswith(" oslab_usage"))
    section, size = row[-3:-1]
    _, sections = run(["objdump", "-h", path], str(patched))
    row = next(line.split() for line in sections.splitlines() if f" {section} " in line)
    assert section.startswith(".data..percpu") and "aligned" in section
    assert 2 ** int(row[-1].partition("**")[2]) >= 64
    assert int(size, 16) % 64 == 0
