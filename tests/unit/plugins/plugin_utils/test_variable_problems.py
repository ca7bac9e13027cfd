# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils import known_variables, variable_problems

ROOT = Path(__file__).resolve().parents[4]
OPTIONS = known_variables.collect(ROOT).options
ENTRY = {"name": "x", "source": "x.c", "kconfig": "X"}
PLAYBOOKS = ("deploy_serial", "deploy_max_fail_percentage")


def problems(name: str, value: Any, template: str = "") -> str:
    return "; ".join(variable_problems.problems(name, OPTIONS[name], value, template))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("install_keep", "two", "install_keep is 'two': it has to be a whole number"),
        ("install_keep", True, "install_keep is True: it has to be a whole number"),
        ("install_keep", [2], "install_keep is [2]: it has to be a whole number"),
        ("install_keep", None, "install_keep is set, but has no value"),
        ("install_keep", -1, "install_keep is -1: it has to be 0 to 1000"),
        ("trial_timeout", 5, "trial_timeout is 5: it has to be 60 to 86400"),
        ("trial_timeout", "5", "trial_timeout is '5': it has to be 60"),
        ("trial_watchdog", 5, "it has to be 0 or 10 to 86400"),
        ("publish_port", 70_000, "it has to be 1 to 65535"),
        ("publish_generate_key", "perhaps", "it has to be true or false"),
        ("install_transport", "cpoy", "install_transport is 'cpoy': it has to be one of apt, copy"),
        ("build_smoke_test", "yes", "is 'yes': it has to be one of auto, true, false"),
        ("config_options", ["X=y"], "config_options is ['X=y']: it has to be a mapping"),
        ("config_keep_modules", {"a": 1}, "it has to be a list"),
        ("source_version", yaml.safe_load("6.10"), "source_version is the number 6.1, not a text"),
        ("source_version", 6.1, 'write it in quotes, as in source_version: "6.10"'),
        ("source_version", ["6.1"], "source_version is ['6.1']: it has to be a text"),
        ("source_known_sha256", {6.1: "x"}, "the key 6.1 of source_known_sha256 is the number 6.1"),
        ("publish_server", False, "publish_server is false, not a text: write it in quotes"),
        ("config_keep_modules", "e1000,nvme", "it has to be a list, with lines as `- entry`"),
        ("config_keep_modules", [8139], "config_keep_modules[0] is the number 8139, not a text"),
        ("config_keep_modules", [True], "config_keep_modules[0] is true, not a text"),
        ("config_options", "X=y", "config_options is 'X=y': it has to be a mapping"),
        ("config_options", {"X": None}, "config_options.X has no value: give one"),
        ("trial_health_checks", "systemctl is-active x", "it has to be a list"),
        ("trial_health_checks", [""], "trial_health_checks[0] is an empty text"),
        ("trial_health_checks", ["a", ["b"]], "trial_health_checks[1] is ['b']: it has to be"),
        ("trial_health_checks", ["a", None], "trial_health_checks[1] has no value"),
        ("patch_series", ["a.patch", " "], "patch_series[1] is an empty text"),
        ("build_tools_source", 5, "build_tools_source is the number 5, not a path"),
        ("patch_syscalls", [{"name": "x"}], "patch_syscalls[0] (x) has no source: add a line"),
        ("modules_list", "io_throttle_mod", "it has to be a list, with lines as `- entry`"),
        (
            "modules_list",
            ["x"],
            "modules_list[0] is 'x': it has to be a mapping; begin it with `- n",
        ),
        (
            "modules_list",
            [{"nmae": "x"}],
            "modules_list[0] has 'nmae', which is no key of it: did you",
        ),
        ("modules_list", [{"name": "x", "params": "pid=1"}], "modules_list[0]: params is 'pid=1'"),
        (
            "modules_list",
            [{"name": "x", "state": "laoded"}],
            "modules_list[0]: state is 'laoded': it",
        ),
        ("lab_fleet_models", [{"disk": "ide", "network": 5.0}], 'as in network: "5.0"'),
        ("patch_syscalls", [{"name": "x"}], "patch_syscalls[0] (x) has no source: add a line"),
        (
            "patch_syscalls_extra",
            [ENTRY, {**ENTRY, "sorce": "x"}],
            "patch_syscalls_extra[1] (x) has 'sorce', which is no key of it: did you mean source?",
        ),
        (
            "patch_syscalls_extra",
            [{**ENTRY, "zzz": 1}],
            "has 'zzz', which is no key of it: there are name, source, kconfig",
        ),
        ("patch_syscalls_extra", ENTRY, "is one mapping, not a list: begin each entry with `- `"),
        ("patch_syscalls_extra", ["x"], "patch_syscalls_extra[0] is 'x': it has to be a mapping"),
        (
            "patch_syscalls_extra",
            [{**ENTRY, "name": True}],
            "patch_syscalls_extra[0]: name is true, not a text: write it in quotes",
        ),
        (
            "patch_syscalls_extra",
            [{**ENTRY, "kconfig": None}],
            "patch_syscalls_extra[0]: kconfig is set, but has no value",
        ),
        ("modules_list", [{"name": "x", "state": "laoded"}], "loaded, unloaded"),
        ("modules_list", [{"name": "x", "parms": {}}], "parms"),
    ],
)
def test_a_wrong_value(name: str, value: Any, message: str) -> None:
    found = problems(name, value)
    assert message in found
    assert "\n" not in found
    assert len(found) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("install_keep", 2),
        ("install_keep", "2"),
        ("trial_watchdog", 0),
        ("publish_generate_key", "no"),
        ("source_version", "6.10"),
        ("source_version", 6),
        ("build_smoke_test", True),
        ("build_smoke_test", False),
        ("build_smoke_test", "true"),
        ("version_extraversion", -49),
        ("patch_series", ["a.patch", {"source": "https://x/y", "sha256": "0"}]),
        ("config_options", {"X": "y", "N": 5}),
        ("patch_syscalls_extra", [{**ENTRY, "depends": None, "number": 470}]),
        ("modules_list", [{"name": "x", "params": {"pid": 0}}]),
        ("deploy_serial", 1),
        ("deploy_serial", "2"),
        ("deploy_serial", [1, "25%", "100%"]),
        ("deploy_max_fail_percentage", 0),
        ("deploy_max_fail_percentage", "12.5"),
    ],
)
def test_what_is_no_fault(name: str, value: Any) -> None:
    assert problems(name, value) == ""


@pytest.mark.parametrize(
    "value", [0, -1, "0%", "101%", "one", ["one"], [1, "x"], True, [None], [], {}]
)
def test_sizes_of_waves(value: Any) -> None:
    assert problems("deploy_serial", value).startswith(f"deploy_serial is {value!r}: it has to be")


@pytest.mark.parametrize("value", [-1, 101, "5%", "x", "", True, [5]])
def test_shares_of_failures(value: Any) -> None:
    assert "0 to 100" in problems("deploy_max_fail_percentage", value)


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - set(PLAYBOOKS)))
def test_defaults_are_no_fault(name: str) -> None:
    default = OPTIONS[name].get("default")
    if default is not None and "{{" not in str(default):
        assert problems(name, default) == ""


KINDS: dict[str, list[Any]] = {
    "bool": [None, [], {}, "perhaps"],
    "dict": [None, "", "a", "a=b", 5, ["a"], {"a": None}],
    "int": [None, True, "", "x", 1.5, [1]],
    "list": [None, "", "a", "a,b", 5, True, {"a": 1}, [None]],
    "raw": [None],
    "path": [None, 5, 1.5, True, ["a"], {"a": 1}],
    "str": [None, 1.5, True, ["a"], {"a": 1}],
}


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - set(PLAYBOOKS)))
def test_what_ansible_would_convert(name: str) -> None:
    """A task gets it as it was written."""
    for value in KINDS[OPTIONS[name].get("type", "str")]:
        if value is not True or "true" not in OPTIONS[name].get("choices", ()):
            assert problems(name, value), value
    if OPTIONS[name].get("type") == "list":
        each = OPTIONS[name]["elements"]
        for value in ["", *KINDS.get(each, [])]:
            assert problems(name, [value]), value


def test_all_of_several_is_reported() -> None:
    found = problems("modules_list", [{"nmae": "x"}, "y"])
    assert "modules_list[0] has no name" in found
    assert "modules_list[1] is 'y'" in found


def test_each_whole_number_has_a_range() -> None:
    numbers = {name for name, option in OPTIONS.items() if option.get("type") == "int"}
    assert numbers == set(variable_problems.RANGES)


def test_no_secret_is_shown() -> None:
    assert "hunter2" not in problems("install_keep", "hunter2", "{{ vault_keep }}")
    address = problems("publish_keep_builds", "https://me:hunter2@example.org/")
    assert "hunter2" not in address
    assert "//***@example.org" in address
    assert len(problems("install_keep", "x" * 10_000)) < 200
