# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module syscall_info: its documentation, and a run on this machine's kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import SYSCALL_NAMES
from ansible_collections.oslab.kernel.plugins.modules import syscall_info
from ansible_collections.oslab.kernel.tests.lib.module_process import PYTHONPATH

MODULE = "ansible_collections.oslab.kernel.plugins.modules.syscall_info"

stock_kernel = pytest.mark.skipif(
    any(Path("/lib/modules").glob("*/oslab-kernel.json")), reason="may run a custom kernel"
)


def compare_options(documented: dict[str, Any], spec: dict[str, Any]) -> None:
    assert set(documented) == set(spec)
    for name, option in documented.items():
        for key in ("type", "elements", "choices", "default"):
            assert option.get(key) == spec[name].get(key), f"{name}.{key}"
        if "suboptions" in option:
            compare_options(option["suboptions"], spec[name]["options"])


def test_documentation_agrees_with_the_argument_spec() -> None:
    documentation = yaml.safe_load(syscall_info.DOCUMENTATION)
    compare_options(documentation["options"], syscall_info.argument_spec())


def run(**arguments: Any) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode(),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": PYTHONPATH, "PATH": "/usr/bin:/bin"},
        check=False,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


@stock_kernel
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_stock_kernel_is_unsupported(check_mode: bool) -> None:
    result = run(workload=5, _ansible_check_mode=check_mode)
    assert result.get("failed") is None
    assert result["changed"] is False
    assert result["supported"] is False
    assert result["reason"].startswith("no manifest at /lib/modules/")
    assert result["syscalls"] == {}


@stock_kernel
def test_free_numbers_answer_enosys() -> None:
    numbers = dict(zip(SYSCALL_NAMES, (509, 510, 511)))
    result = run(numbers=numbers)
    assert result["supported"] is False
    assert {state["errno_name"] for state in result["syscalls"].values()} == {"ENOSYS"}


@stock_kernel
def test_a_free_number_of_another_name_answers_enosys() -> None:
    (state,) = run(numbers={"mine": 511})["syscalls"].values()
    assert (state["supported"], state["errno_name"]) == (False, "ENOSYS")


def test_return_values_are_documented() -> None:
    documented = yaml.safe_load(syscall_info.RETURN)
    returned = set(run()) - {"changed", "invocation"}
    assert returned == set(documented)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numbers": {"get_io_throttle": 62}}, "numbers.get_io_throttle is 62"),
        ({"workload": -1}, "workload must be 0 or more"),
        ({"pid": 0}, "pid must be a process id"),
        ({"manifest": "/etc/passwd"}, "/etc/passwd is not JSON"),
        (
            {"expected": {"proc_entries": ["x"]}},
            "expected.proc_entries has 'x': it has to be one of capture_mem, track",
        ),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    result = run(**arguments)
    assert result["failed"] is True
    assert message in result["msg"]
