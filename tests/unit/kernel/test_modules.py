# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module is known by its C file: where its name is needed, it is found there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import PROC_ENTRIES
from ansible_collections.oslab.kernel.tests.lib import own_modules

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SELFTESTS = ROOT / "files/kernel/selftests"
SYSCALLS = ("CAPTURE_MEMORY_SNAPSHOT", "TRACK_SYSCALL_USAGE", "GET_IO_THROTTLE")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The modules with one more, as they are after a compilation."""
    shutil.copytree(own_modules.DIRECTORY, tmp_path / "modules")
    for name in ("one_more.c", "one_more.mod.c", "system_stats.mod.c"):
        (tmp_path / "modules" / name).touch()
    return tmp_path / "modules"


def objects(source: Path, *settings: str, recursive: bool = False) -> list[str]:
    """What kbuild finds in obj-m, which is simple when it compiles and undefined when it cleans."""
    kbuild = source / "kbuild.mk"
    start = "" if recursive else "obj-m :=\n"
    kbuild.write_text(f"{start}include {source}/Makefile\nall:\n\t@echo $(obj-m)\n")
    command = ["make", "-s", "-f", str(kbuild), "KERNELRELEASE=6.12", f"src={source}", *settings]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=source)
    return done.stdout.split()


@pytest.mark.parametrize("answer", ["y", "m"])
def test_each_c_file_is_a_module(source: Path, answer: str) -> None:
    found = objects(source, *(f"CONFIG_{name}={answer}" for name in SYSCALLS))
    assert sorted(found) == sorted(f"{name}.o" for name in [*own_modules.MODULES, "one_more"])


def test_a_module_is_left_out_with_its_syscall(source: Path) -> None:
    found = objects(source, *(f"CONFIG_{name}=y" for name in SYSCALLS[:2]))
    expected = {f"{name}.o" for name in [*own_modules.MODULES, "one_more"]} - {"io_throttle_mod.o"}
    assert sorted(found) == sorted(expected)
    assert {"one_more.o", "system_stats.o"} <= set(objects(source)) < set(found)


def test_make_clean_reads_the_makefile(source: Path) -> None:
    assert sorted(objects(source, recursive=True)) == sorted(objects(source))


@pytest.mark.parametrize("module", own_modules.MODULES)
def test_the_file_in_proc_is_named_after_the_module(module: str) -> None:
    text = (own_modules.DIRECTORY / f"{module}.c").read_text(encoding="utf-8")
    assert re.findall(r'^#define PROC_NAME\t"(\w+)"$', text, re.MULTILINE) == [
        own_modules.entry(module)
    ]


def test_each_module_is_loaded_by_default() -> None:
    defaults = (ROOT / "roles/modules/defaults/main.yml").read_text(encoding="utf-8")
    loaded = [entry["name"] for entry in yaml.safe_load(defaults)["modules_list"]]
    assert sorted(loaded) == own_modules.MODULES


def test_verify_compares_entries_of_these_modules() -> None:
    known = {entry: module for module, entry in own_modules.ENTRIES.items()}
    for name, entry in PROC_ENTRIES.items():
        assert known.get(name) == entry.module


def test_the_selftests_find_the_modules_in_the_directory(tmp_path: Path) -> None:
    for name in ("io_throttle_mod.ko", "mine_mod.ko", "other.ko", "other.c", "modules.order"):
        (tmp_path / name).touch()
    program = tmp_path / "found_modules"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", f"-I{SELFTESTS}",
         "-o", str(program), str(HERE / "found_modules.c"),
         *(str(SELFTESTS / name) for name in ("lib.c", "modlib.c"))],
        check=True,
    )  # fmt: skip
    done = subprocess.run([str(program), str(tmp_path)], capture_output=True, text=True, check=True)
    found = dict(line.split() for line in done.stdout.splitlines()[1:])
    assert found["io_throttle_mod"] == "/proc/io_throttle"
    assert {name: found[name] for name in ("mine_mod", "other")} == {
        "mine_mod": "/proc/mine",
        "other": "/proc/other",
    }
    assert len(found) == 6
    assert done.stdout.splitlines()[0] == "110000"
