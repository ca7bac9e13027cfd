# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils import group_problems

ROOT = Path(__file__).resolve().parents[4]
GROUPS = {
    "all": ["b1", "b2", "t1", "t2"],
    "kernel_builders": ["b1", "b2"],
    "kernel_targets": ["t1", "t2"],
}
BOTH: dict[str, list[str]] = {
    "kernel_builders": ["build", "install"],
    "kernel_targets": ["install"],
}


def problems(groups: Mapping[str, Sequence[str]] = GROUPS, **other: Any) -> list[str]:
    return list(group_problems.problems(BOTH, groups, **{"reached": GROUPS["all"], **other}))


def test_a_whole_inventory() -> None:
    assert problems() == []


def test_none() -> None:
    (problem,) = problems({"all": [], "ungrouped": []}, reached=["localhost"])
    assert "no inventory" in problem
    assert "-i inventory.yml" in problem


def test_a_group_that_is_missing_misspelt_or_empty() -> None:
    rest = {name: hosts for name, hosts in GROUPS.items() if name != "kernel_targets"}
    (problem,) = problems(rest)
    assert problem == "the inventory has no group kernel_targets (the hosts that get it)"
    (problem,) = problems({**rest, "kernel_target": ["t1"]})
    assert "is it the group kernel_target?" in problem
    (problem,) = problems({**rest, "kernel_targets": []})
    assert "kernel_targets" in problem
    assert "has no host" in problem
    assert len(problems({"all": ["x"]})) == 2


def test_a_limit_that_leaves_out_the_only_builder() -> None:
    one = {**GROUPS, "kernel_builders": ["b1"]}
    (problem,) = problems(one, reached=["t1", "b2"], limit="t1,b2")
    assert "leaves out b1" in problem
    assert "--limit 't1,b2,b1'" in problem


def test_a_limit_that_leaves_out_a_builder_whose_kernel_a_target_takes() -> None:
    taken = {"t1": "b1", "t2": "b1"}
    (problem,) = problems(reached=["t1", "t2", "b2"], limit="t1,t2,b2", taken=taken)
    assert problem == (
        "--limit 't1,t2,b2' leaves out b1, the builder of t1, t2 (kernel_from): add it, as in "
        "--limit 't1,t2,b2,b1'"
    )
    assert problems(reached=["t2", "b2"], limit="t2,b2", taken={"t2": "b2"}) == []
    # One that is none is reported with the variable.
    assert problems(reached=["t2", "b2"], limit="t2,b2", taken={"t2": "x"}) == []
    (problem,) = problems(reached=["t2"], limit="t2")
    assert "leaves out b1" in problem


def test_a_limit_that_leaves_out_the_builder_of_a_target() -> None:
    """Where no group of builders is needed, as by verify.yml."""
    wanted = {"kernel_targets": ["verify"], "kernel_from": ["verify"]}

    def found(reached: list[str], **other: Any) -> list[str]:
        return list(group_problems.problems(wanted, GROUPS, reached, ",".join(reached), **other))

    (problem,) = found(["t1", "b2"], taken={"t1": "b1"})
    assert "--limit 't1,b2' leaves out b1, the builder of t1 (kernel_from)" in problem
    assert found(["t1", "b1"], taken={"t1": "b1"}) == []
    # Of one builder nobody asks.
    assert found(["t1"]) == []
    assert found(["t1"], taken={"t1": "b1"}, asked=["build"]) == []
    assert not group_problems.example_needed(wanted, GROUPS)


def test_a_limit_that_leaves_no_target() -> None:
    (problem,) = problems(reached=["b1"], limit="b1")
    assert "no host of kernel_targets (t1, t2)" in problem


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ([], 2),
        (["build"], 1),
        (["install", "verify"], 2),
        (["verify"], 0),
        # Somebody's own, on an import of the playbook.
        (["mine", "verify"], 2),
    ],
)
def test_groups_that_the_tags_do_not_need(asked: list[str], count: int) -> None:
    assert len(problems({"all": ["x"]}, asked=asked)) == count


def test_groups_that_skipped_tags_do_not_need() -> None:
    assert len(problems({"all": ["x"]}, skipped=["install"])) == 1
    assert len(problems({"all": ["x"]}, skipped=["install", "build"])) == 0
    assert len(problems({"all": ["x"]}, asked=["build"], skipped=["build"])) == 0


def test_the_tags_are_those_of_the_playbooks() -> None:
    used: set[str] = set()
    for path in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            groups = play.get("vars", {}).get("preflight_groups", {})
            # A template, which has no tags: the groups of doctor.yml.
            assert isinstance(groups, dict) or path.name == "doctor.yml"
            for tags in groups.values() if isinstance(groups, dict) else ():
                used.update(tags)
    assert used == group_problems.TAGS


def test_the_example_is_enough() -> None:
    found = yaml.safe_load(group_problems.EXAMPLE)
    groups = {name: list(group["hosts"]) for name, group in found.items()}
    everybody = [host for hosts in groups.values() for host in hosts]
    assert problems({**groups, "all": everybody}, reached=everybody) == []
