# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What on the control node decides about a build, as a checksum."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import build_inputs

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"build_force": "no", "source_provider": "kernel_org"}, ""),
        ({"build_force": True}, "build_force"),
        ({"config_refresh_targets": "yes"}, "config_refresh_targets"),
        ({"publish_replace_key": "true"}, "publish_replace_key"),
        ({"source_series": True}, "source_series"),
        ({"build_goal": "lock"}, "more than a build"),
        ({"build_goal": "build"}, ""),
        ({"build_environment": "root"}, "build root"),
        ({"source_provider": "git", "source_git_ref": "master"}, "source_git_ref"),
        ({"source_provider": "git", "source_git_ref": "v6.8"}, "source_git_ref"),
        ({"source_provider": "git", "source_git_ref": "a" * 40}, ""),
        ({"source_provider": "kernel_org", "source_git_ref": "master"}, ""),
    ],
)
def test_runs_in_which_the_roles_run(values: dict[str, Any], words: str) -> None:
    found = build_inputs.must_run(values, only_some_steps=False)
    assert (words in found) if words else found == ""


def test_with_tags_only_some_steps_run() -> None:
    assert "some steps" in build_inputs.must_run({}, only_some_steps=True)


@pytest.mark.parametrize(
    ("tags", "skipped", "some"),
    [
        ([], [], True),
        (["install"], [], False),
        (["install", "config"], [], True),
        ([], ["publish"], True),
        ([], list(build_inputs.ROLES), False),
        (["config"], ["config"], False),
    ],
)
def test_tags_with_which_roles_of_the_builder_run(
    tags: list[str], skipped: list[str], some: bool
) -> None:
    assert build_inputs.roles_run(tags, skipped) is some


@pytest.mark.parametrize(
    ("tags", "skipped", "some"),
    [
        ([], [], False),
        (["install"], [], True),
        ([], ["molecule-notest", "notest"], False),
        ([], ["notest", "publish"], True),
        ([], ["always"], True),
        ([], ["all"], True),
        ([], ["tagged"], True),
    ],
)
def test_tags_that_leave_out_steps(tags: list[str], skipped: list[str], some: bool) -> None:
    assert build_inputs.some_steps(tags, skipped) is some


def test_builders_have_no_other_tags() -> None:
    """`some_steps` knows no others."""
    files = [ROOT / "playbooks/build.yml"]
    for role in build_inputs.ROLES:
        files += (ROOT / "roles" / role / "tasks").rglob("*.yml")
    lists = [
        one for path in files for one in re.findall(r"^ *(?:- )?tags:(.*)$", path.read_text(), re.M)
    ]
    assert all(one.startswith(" [") for one in lists)
    used = {tag.strip() for one in lists for tag in one.strip(" []").split(",")}
    assert used <= {*build_inputs.ROLES, "always"}
    assert "publish" in used


def test_names_modes_and_contents_count(tmp_path: Path) -> None:
    top = tmp_path / "sources"
    (top / "below").mkdir(parents=True)
    (top / "below/a.c").write_text("int a;\n")
    first = build_inputs.content(top)
    (top / "__pycache__").mkdir()
    (top / "__pycache__/a.pyc").write_text("x")
    assert build_inputs.content(top) == first
    (top / "below/a.c").chmod(0o755)
    executable = build_inputs.content(top)
    (top / "below/a.c").rename(top / "below/b.c")
    renamed = build_inputs.content(top)
    (top / "below/b.c").write_text("int b;\n")
    assert len({first, executable, renamed, build_inputs.content(top)}) == 4
    assert build_inputs.content(top / "below/b.c") != build_inputs.content(top)


def test_the_collection_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "roles/patch").mkdir(parents=True)
    (tmp_path / "roles/patch/a.yml").write_text("---\n")
    (tmp_path / "docs").mkdir()
    first = build_inputs.collection(tmp_path)
    (tmp_path / "docs/a.md").write_text("text\n")
    assert build_inputs.collection(tmp_path) == first
    (tmp_path / "roles/patch/a.yml").write_text("--- \n")
    assert build_inputs.collection(tmp_path) != first


def test_the_order_of_names_is_no_input() -> None:
    assert build_inputs.checksum({"a": 1, "b": [2]}) == build_inputs.checksum({"b": [2], "a": 1})
    assert build_inputs.checksum({"a": 1}) != build_inputs.checksum({"a": "1"})
