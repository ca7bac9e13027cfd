# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake kernel loads, unloads and refuses; parameters are really compared."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.kernel_module import (
    ModuleError,
    Plan,
    apply,
    make_plan,
    malformed,
    read_loaded,
    refuse_unknown,
    same,
    spelled,
)

NAME = "io_throttle_mod"


class Kernel:
    """/sys/module and modprobe, with one module: pid is writable, mode is not."""

    def __init__(self, sysfs: Path) -> None:
        self.sysfs = sysfs
        self.commands: list[list[str]] = []
        self.fail = ""

    def run(self, command: Sequence[str]) -> Result:
        self.commands.append(list(command))
        if command[0] == "dmesg":
            return Result(0, f"[1.0] something else\n[2.0] {NAME}: pid=-1: must be the id\n")
        if command[0] == "modinfo":
            return Result(0, "mode:permissions (uint)\npid:process to show\n")
        if self.fail:
            return Result(1, "", self.fail)
        if "--remove" in command:
            shutil.rmtree(self.sysfs / NAME)
        else:
            values = dict(word.split("=") for word in command[2:])
            self.load(mode=values.get("mode", "0444"), pid=values.get("pid", "0"))
        return Result(0)

    def load(self, mode: str, pid: str) -> None:
        folder = self.sysfs / NAME / "parameters"
        folder.mkdir(parents=True)
        (self.sysfs / NAME / "initstate").write_text("live\n")
        for name, value, rights in (("mode", mode, 0o444), ("pid", pid, 0o644)):
            (folder / name).write_text(value + "\n")
            (folder / name).chmod(rights)

    def ensure(self, state: str = "loaded", **params: Any) -> Plan:
        wanted = {name: spelled(value) for name, value in params.items()}
        plan = make_plan(NAME, read_loaded(NAME, self.sysfs), state, wanted)
        apply(self.run, NAME, plan, wanted, self.sysfs)
        return plan

    def values(self) -> Mapping[str, str]:
        return {k: p.value for k, p in read_loaded(NAME, self.sysfs).parameters.items()}


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        ("1", "1"),
        ("0444", "292"),
        ("0444", "0444"),
        ("444", "0444"),
        ("0400", "256"),
        ("0x10", "16"),
        ("-1", "-1"),
        ("true", "Y"),
        ("1", "Y"),
        ("off", "N"),
        ("1,2,0x3", "1,2,3"),
        ("/srv", "/srv"),
    ],
)
def test_values_that_are_the_same(wanted: str, actual: str) -> None:
    assert same(wanted, actual)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [("1", "2"), ("444", "292"), ("Y", "N"), ("1,2", "1"), ("/a", "/b"), ("", "0"), ("no", "1")],
)
def test_values_that_differ(wanted: str, actual: str) -> None:
    assert not same(wanted, actual)


def test_values_are_spelled_for_the_kernel() -> None:
    assert [spelled(v) for v in (True, False, 7, "x", [1, True])] == ["Y", "N", "7", "x", "1,Y"]


def test_loads_once_and_unloads_once(kernel: Kernel) -> None:
    assert kernel.ensure(pid=7) == Plan(load=True)
    assert kernel.values()["pid"] == "7"
    assert not kernel.ensure(pid=7).changed
    assert not kernel.ensure().changed
    assert kernel.ensure("unloaded") == Plan(unload=True)
    assert not kernel.ensure("unloaded").changed


def test_a_writable_parameter_is_written_without_a_reload(kernel: Kernel) -> None:
    kernel.ensure(pid=7)
    kernel.commands.clear()
    assert kernel.ensure(pid=8) == Plan(write=("pid",))
    assert kernel.values()["pid"] == "8"
    assert kernel.commands == []


def test_a_load_time_parameter_needs_a_reload(kernel: Kernel) -> None:
    kernel.ensure(pid=7)
    assert kernel.ensure(mode="0400", pid=7) == Plan(load=True, unload=True)
    assert kernel.values() == {"mode": "0400", "pid": "7"}


def test_a_failed_load_shows_the_kernels_words(kernel: Kernel) -> None:
    kernel.fail = "modprobe: ERROR: could not insert: Invalid argument"
    with pytest.raises(ModuleError) as failure:
        kernel.ensure(pid=-1)
    assert "pid=-1: must be the id" in str(failure.value)
    assert "Invalid argument" in str(failure.value)
    assert "something else" not in str(failure.value)


def test_a_module_in_use_says_so(kernel: Kernel) -> None:
    kernel.ensure()
    kernel.fail = "modprobe: FATAL: Module io_throttle_mod is in use."
    with pytest.raises(ModuleError, match=r"in use\..*lsmod shows"):
        kernel.ensure("unloaded")


def test_an_unknown_parameter_is_refused_since_the_kernel_ignores_it(kernel: Kernel) -> None:
    refuse_unknown(kernel.run, NAME, {"pid": "1"}, "6.8")
    with pytest.raises(ModuleError, match="has no parameter pids; it has: mode, pid"):
        refuse_unknown(kernel.run, NAME, {"pids": "1"}, "6.8")


def test_a_module_of_another_kernel_names_the_running_one() -> None:
    with pytest.raises(ModuleError, match=r"running kernel 6\.1 has no module io_throttle_mod"):
        refuse_unknown(lambda command: Result(1, "", "not found"), NAME, {}, "6.1")


def test_built_in_modules(tmp_path: Path) -> None:
    (tmp_path / NAME / "parameters").mkdir(parents=True)
    file = tmp_path / NAME / "parameters/mode"
    file.write_text("0444\n")
    file.chmod(0o444)
    loaded = read_loaded(NAME, tmp_path)
    assert not make_plan(NAME, loaded, "loaded", {}).changed
    with pytest.raises(ModuleError, match="cannot be unloaded"):
        make_plan(NAME, loaded, "unloaded", {})
    with pytest.raises(ModuleError, match=r"kernel command line \(io_throttle_mod\.mode="):
        make_plan(NAME, loaded, "loaded", {"mode": "0400"})


def test_a_parameter_that_is_not_taken_is_reported(kernel: Kernel) -> None:
    def run(command: Sequence[str]) -> Result:
        kernel.load(mode="0444", pid="0")
        return Result(0)

    with pytest.raises(ModuleError, match="pid is 0, not 5"):
        apply(run, NAME, Plan(load=True), {"pid": "5"}, kernel.sysfs)


def test_a_dash_in_the_name_is_an_underscore_in_sysfs(kernel: Kernel) -> None:
    kernel.ensure()
    assert read_loaded(NAME.replace("_", "-"), kernel.sysfs).loaded


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("snd-hda_intel", {"a": "b", "index": [0, 1], "power_save": True}, ""),
        ("a b", {}, "name has to be a module's"),
        ("", {}, "name has to be a module's"),
        ("a\n", {}, "name has to be a module's"),
        ("a", {"b": "c d"}, "params has 'b': 'c d'"),
        ("a", {"b": ["c", "d#"]}, "params has 'b'"),
        ("a", {"b c": 1}, "params has 'b c'"),
    ],
)
def test_what_modprobe_would_read_as_something_else(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    found = malformed(name, parameters)
    assert found.startswith(message) and bool(found) == bool(message)
