# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syscalls of the roles' defaults are in all places where a syscall has to be.

Whoever adds one calls this (CONTRIBUTING.md): a place that was forgotten is named.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._patch import edits, record
from ansible_collections.oslab.kernel.tests.lib.default_plan import default_plan
from ansible_collections.oslab.kernel.tests.lib.kernel_trees import ROOT, patch

SYSCALLS = default_plan(ROOT).syscalls
# Those that programs were built for have the first numbers.
FIRST = ["capture_memory_snapshot", "track_syscall_usage", "get_io_throttle"]


def role(name: str, file: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "roles" / name / file).read_text())
    return content


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("trees") / "linux"
    shutil.copytree(ROOT / "tests/fixtures/fakelinux", tree, symlinks=True)
    patch(tree)
    return tree


def test_each_source_is_the_syscall_of_its_name() -> None:
    sources = {path.stem for path in (ROOT / "files/kernel/syscalls").glob("*.c")}
    assert sources == {call.name for call in SYSCALLS}, "roles/patch/defaults: patch_syscalls"


def test_numbers_follow_the_list() -> None:
    assert [call.name for call in SYSCALLS][: len(FIRST)] == FIRST, "a new syscall comes last"


@pytest.mark.parametrize("call", SYSCALLS, ids=lambda call: call.name)
def test_the_tree_has_it(patched: Path, call: edits.Syscall) -> None:
    table = (patched / "arch/x86/entry/syscalls/syscall_64.tbl").read_text()
    assert [line.split()[1:] for line in table.splitlines() if call.name in line] == [
        ["common", call.name, f"sys_{call.name}"]
    ]
    assert f"sys_{call.name}(" in (patched / "include/linux/syscalls.h").read_text()
    assert f"CONFIG_{call.kconfig}) += {call.name}.o" in (patched / "kernel/Makefile").read_text()
    assert f"config {call.kconfig}\n" in (patched / edits.KCONFIG).read_text()
    assert f"COND_SYSCALL({call.name});" in (patched / "kernel/sys_ni.c").read_text()


@pytest.mark.parametrize("variable", ["config_required", "config_default_options"])
def test_no_other_place_has_their_names(variable: str) -> None:
    """The role config reads them from the tree."""
    named = role("config", "defaults/main.yml")[variable].keys()
    assert not named & {edits.KCONFIG_MENU, *(call.kconfig for call in SYSCALLS)}


def test_the_tree_tells_of_them(patched: Path) -> None:
    assert [(call.name, call.kconfig, call.called) for call in record.added(patched)] == [
        (call.name, call.kconfig, True) for call in SYSCALLS
    ]


@pytest.mark.parametrize("variable", ["config_required", "config_default_options"])
def test_the_documentation_has_the_defaults(variable: str) -> None:
    options = role("config", "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert options[variable]["default"] == role("config", "defaults/main.yml")[variable]


@pytest.mark.parametrize("call", SYSCALLS, ids=lambda call: call.name)
def test_the_readme_tells_of_it(call: edits.Syscall) -> None:
    text = (ROOT / "files/kernel/README.md").read_text()
    assert f"| `{call.name}(" in text, "files/kernel/README.md: the table of syscalls"
    assert f"| `{call.kconfig}` |" in text, "files/kernel/README.md: the table of Kconfig symbols"
