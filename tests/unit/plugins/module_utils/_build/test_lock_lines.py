# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a lock, and how a difference is reported."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import lock_lines
from ansible_collections.oslab.kernel.plugins.module_utils._build.lock_lines import Difference

LOCK = {
    "build": {"id": "b1", "release": "6.12"},
    "collection": "1",
    "files": {"patches": [{"name": "a", "sha256": "1"}, {"name": "b", "sha256": "2"}]},
    "settings": {"config_options": {}, "build_make_args": ["X=1"]},
}


def test_each_value_has_a_line() -> None:
    assert dict(lock_lines.leaves(LOCK)) == {
        "build.id": "b1",
        "build.release": "6.12",
        "collection": "1",
        "files.patches.order": ["a", "b"],
        "files.patches[a].sha256": "1",
        "files.patches[b].sha256": "2",
        "settings.build_make_args": ["X=1"],
    }


def test_the_same_has_no_difference() -> None:
    assert lock_lines.differences(LOCK, {**LOCK}) == []


def test_what_differs() -> None:
    found = {**LOCK, "files": {"patches": list(reversed(LOCK["files"]["patches"]))}}  # type: ignore[index]
    assert lock_lines.differences(LOCK, found) == [
        Difference("files.patches.order", ["a", "b"], ["b", "a"])
    ]
    found = {**LOCK, "settings": {"config_options": {"PM": "y"}, "build_make_args": ["X=1"]}}
    assert lock_lines.differences(LOCK, found) == [
        Difference("settings.config_options.PM", None, "y"),
    ]


def test_a_type_is_a_difference() -> None:
    assert lock_lines.differences({"a": "1"}, {"a": 1}) == [Difference("a", "1", 1)]


def test_what_follows_from_others_is_no_cause() -> None:
    identity, release = Difference("build.id", 1, 2), Difference("build.release", 1, 2)
    patch = Difference("files.patches[a].sha256", 1, 2)
    assert lock_lines.causes([identity, release, patch]) == [patch]
    assert lock_lines.causes([identity, release]) == [release]
    assert lock_lines.causes([identity]) == [identity]


def test_where_something_can_be_had_binds_nobody() -> None:
    hint = Difference("environment.root.snapshot", "x", "y")
    root = Difference("environment.root.id", "x", "y")
    assert lock_lines.binding([hint, root]) == [root]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("", "''"),
        ("one\n", "one"),
        (["a"], '["a"]'),
        (True, "true"),
        ("x" * 200, "x" * 99 + "…"),
    ],
)
def test_a_value_is_one_line(value: object, text: str) -> None:
    assert lock_lines.shown(value) == text


def test_a_text_of_many_lines_has_a_checksum() -> None:
    assert lock_lines.shown("a\nb\n").startswith("2 lines (sha256 ")


def test_of_lists_the_change_is_shown() -> None:
    assert lock_lines.change(Difference("x", ["a", "b"], ["b", "c"])) == "-a, +c"
    assert lock_lines.change(Difference("x", ["a", "b"], ["b", "a"])) == '["a", "b"] → ["b", "a"]'
    assert lock_lines.change(Difference("x", "1", None)) == "1 → nothing"


def test_a_refusal_fits_a_screen() -> None:
    found = [Difference(f"settings.x{number}", 1, 2) for number in range(50)]
    lines = lock_lines.refusal("kernel.lock", found).split("\n")
    assert len(lines) < 15
    assert "50 lines differ" in lines[0]
    assert lines[-2] == "- and 42 more"
    assert lines[1] == "- settings.x0: locked 1, found 2; set the variable to the locked value"


@pytest.mark.parametrize(
    "line",
    [
        *("collection", "settings.x", "files.x", "source.sha256", "source.commit", "targets.x"),
        *("environment.root.id", "environment.toolchain.gcc", "build.release"),
    ],
)
def test_each_line_has_a_remedy(line: str) -> None:
    assert len(lock_lines.remedy(line)) > 20
