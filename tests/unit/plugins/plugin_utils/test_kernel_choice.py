# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builder's kernel a target takes, and how builders of one machine share it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.filter.build_turns import build_turns
from ansible_collections.oslab.kernel.plugins.filter.builder_of import builder_of
from ansible_collections.oslab.kernel.plugins.filter.builder_place import builder_place
from ansible_collections.oslab.kernel.plugins.filter.reported_builds import reported_builds
from ansible_collections.oslab.kernel.plugins.filter.targets_of import targets_of
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

GROUPS = {"kernel_builders": ["a", "b"], "kernel_targets": ["t1", "t2", "t3", "a"]}
HOSTVARS: dict[str, dict[str, Any]] = {
    "a": {},
    "b": {},
    "t1": {"kernel_from": "b"},
    "t2": {},
    "t3": {"kernel_from": ""},
}


def test_without_a_choice_it_is_the_first_builder() -> None:
    chosen = {name: builder_of(GROUPS, name, HOSTVARS) for name in GROUPS["kernel_targets"]}
    assert chosen == {"t1": "b", "t2": "a", "t3": "a", "a": "a"}
    assert builder_of({}, "t2", HOSTVARS) == ""
    assert builder_of({}, "t1", HOSTVARS) == "b"


def test_the_targets_of_a_builder_have_their_order() -> None:
    assert targets_of(GROUPS, "a", HOSTVARS) == ["t2", "t3", "a"]
    assert targets_of(GROUPS, "b", HOSTVARS) == ["t1"]
    assert targets_of(GROUPS, "c", HOSTVARS) == []


class Unread(dict[str, Any]):
    """Variables of thousands of hosts, which take their time."""

    def __getitem__(self, name: str) -> Any:
        raise AssertionError(f"{name} is read")


def test_of_the_only_builder_no_variable_is_read() -> None:
    one = {**GROUPS, "kernel_builders": ["a"]}
    assert targets_of(one, "a", Unread(HOSTVARS)) == GROUPS["kernel_targets"]


@pytest.mark.parametrize(
    ("groups", "name", "rank", "suffix"),
    [
        (GROUPS, "a", "first", ""),
        (GROUPS, "b", "other", "-b"),
        ({**GROUPS, "kernel_builders": ["b"]}, "b", "only", ""),
        # A play that has no such group.
        ({}, "b", "only", ""),
        ({"kernel_builders": ["a", "../x y:1"]}, "../x y:1", "other", "-.._x_y_1"),
    ],
)
def test_files_of_its_own(groups: Any, name: str, rank: str, suffix: str) -> None:
    found = builder_place(groups, name)
    assert (found["rank"], found["suffix"]) == (rank, suffix)


def test_a_builder_has_its_metrics_once_whoever_comes_or_leaves() -> None:
    alone, both = {"kernel_builders": ["a b"]}, {"kernel_builders": ["a b", "c"]}
    names = ["oslab-kernel-build.prom", "oslab-kernel-build-a_b.prom"]
    found = [builder_place(groups, "a b") for groups in (alone, both)]
    assert [one["metrics"] for one in found] == names
    # What it had in the other case is removed.
    assert [one["metrics_before"] for one in found] == names[::-1]
    assert builder_place(both, "c")["metrics"] == "oslab-kernel-build-c.prom"


def stamped(**machines: str) -> dict[str, dict[str, Any]]:
    return {name: {"build_stamp": {"machine": one}} for name, one in machines.items()}


def test_names_of_one_machine_take_turns() -> None:
    hostvars = stamped(a="1", b="1", c="2", d="1")
    found = build_turns(["a", "b", "c", "d"], hostvars)
    assert found == {"hosts": ["a", "c", "b", "d"], "serial": [2, 1, 1]}


def test_machines_that_are_not_known_are_different_ones() -> None:
    found = build_turns(["a", "b", "x"], {**stamped(a="", b=""), "x": {}})
    assert found == {"hosts": ["a", "b", "x"], "serial": [3]}
    assert build_turns(["a", "b"], {})["serial"] == [2]
    assert build_turns([], {}) == {"hosts": [], "serial": []}


def test_what_a_builder_has_published() -> None:
    read = {"verify_published": {"description": {"release": "read"}}}
    built = {**read, "build_result": {"release": "built"}}
    known = {**built, "publish_result": {"release": "published"}}
    found = [kernel_choice.published(one).get("release") for one in (known, built, read, {})]
    assert found == ["published", "built", "read", None]
    # The builder was not reached.
    assert kernel_choice.published({"verify_published": {"unreachable": True}}) == {}


def test_the_report_has_the_builds_that_are_known() -> None:
    published = {"manifest": {"release": "6.8-a"}, "smoke_test": {"result": "passed"}}
    hostvars = {"a": {"publish_result": published}, "b": {}}
    assert reported_builds(hostvars, GROUPS) == {
        "a": {"release": "6.8-a", "smoke_test": {"result": "passed"}}
    }
