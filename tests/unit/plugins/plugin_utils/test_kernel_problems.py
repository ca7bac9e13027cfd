# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several builders of one inventory: what is refused before any of them builds."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_problems
from ansible_collections.oslab.kernel.plugins.plugin_utils.kernel_problems import Builder


def builder(name: str, **about: Any) -> Builder:
    given = {"release": f"6.8.0-{name}", "build": name, "lock": "", "has_base": True}
    return Builder(name, **{**given, **about})


def together(*builders: Builder, reached: Any = ("a", "b"), taken: Any = ("a", "b")) -> list[str]:
    return list(kernel_problems.together(builders, reached, taken))


@pytest.mark.parametrize(
    ("given", "release"),
    [
        (("kernel_org", "6.8", "-a", ""), "6.8.0-a"),
        (("kernel_org", "6.8.0", "-a", ""), "6.8.0-a"),
        (("kernel_org", "6.8.12", "-a", "-b"), "6.8.12-a-b"),
        (("kernel_org", "6.9-rc1", "-a", ""), "6.9.0-rc1-a"),
        (("kernel_org", "6.9-rc1", "-rc1-a", ""), "6.9.0-rc1-a"),
        (("distro_package", "6.12", "-a", ""), "6.12.x-a"),
        (("git", "6.12.5", "-a", ""), "6.12.5-a"),
        (("kernel_org", "six", "-a", ""), ""),
    ],
)
def test_the_release_of_a_kernel_that_is_not_built_yet(given: Any, release: str) -> None:
    assert kernel_problems.release(*given) == release


def test_builders_that_go_together() -> None:
    assert together(builder("a"), builder("b")) == []
    # Of one build, made twice.
    same = {"release": "6.8.0-x", "build": "1"}
    assert together(builder("a", **same), builder("b", **same)) == []
    assert together(builder("a", release=""), builder("b", release="")) == []


def test_different_kernels_of_one_release() -> None:
    (problem,) = together(builder("a", release="6.8.0-x"), builder("b", release="6.8.0-x"))
    assert problem == (
        "a and b would build different kernels of one release, 6.8.0-x: set version_extraversion "
        "of each to another text, such as -49-{{ inventory_hostname }}"
    )


def test_one_lock_for_two_builds() -> None:
    (problem,) = together(builder("a", lock="kernel.lock"), builder("b", lock="kernel.lock"))
    assert problem.startswith("build_lock is kernel.lock on a and on b: each build has a lock")


def test_names_that_are_one_in_a_directory() -> None:
    (problem,) = together(builder("x:1"), builder("x_1"))
    assert "x:1 and x_1 of kernel_builders would have files of the same name (x_1)" in problem


def test_a_builder_whose_kernel_nobody_takes() -> None:
    bare = builder("b", has_base=False)
    (problem,) = together(builder("a"), bare, taken=["a"])
    assert problem.startswith(
        "no target takes the kernel of b (kernel_from), and its config_base is"
    )
    # For hosts that pull; for a target; not in this run.
    assert together(builder("a"), builder("b"), taken=["a"]) == []
    assert together(builder("a"), bare) == []
    assert together(builder("a"), bare, taken=["a"], reached=["a"]) == []


def test_a_choice_of_no_builder() -> None:
    found = list(kernel_problems.choices({"t1": "a", "t2": "c"}, ["a", "b"]))
    assert found == [
        ("kernel_from is 'c', which is no host of kernel_builders: name one of a, b", "t2")
    ]


def test_builders_that_the_limit_leaves_out_are_named_once() -> None:
    taken = {"t1": "a", "t2": "b", "t3": "b"}
    (problem,) = kernel_problems.left_out(taken, ["t1", "t2", "t3", "a"], "a,t*")
    assert problem == (
        "--limit 'a,t*' leaves out b, the builder of t2, t3 (kernel_from): add it, as in "
        "--limit 'a,t*,b'"
    )


def test_names_that_are_no_host_of_a_play() -> None:
    good = ["localhost", "student01", "build-1.example.org", "10.0.0.1"]
    assert list(kernel_problems.names(good)) == []
    for name in ("student 01", "a,b", "!x", "a[1]", "*", "&b", ""):
        (problem,) = kernel_problems.names([name])
        assert repr(name) in problem
