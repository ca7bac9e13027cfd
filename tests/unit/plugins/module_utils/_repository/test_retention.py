# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builds stay in a repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._repository.retention import (
    RECORD,
    new_order,
    read_order,
    surplus,
    write_order,
)


def of_one(*versions: str) -> dict[str, str]:
    return dict.fromkeys(versions, "alice")


def test_what_is_published_again_is_the_newest() -> None:
    found = new_order(of_one("a", "b", "c"), {"a", "b", "c"}, {"a"}, "bob")
    assert [*found.items()] == [("b", "alice"), ("c", "alice"), ("a", "bob")]


def test_what_no_record_tells_of_is_the_oldest() -> None:
    found = new_order(of_one("b"), {"a", "b"}, {"c"}, "bob")
    assert [*found.items()] == [("a", ""), ("b", "alice"), ("c", "bob")]


def test_what_is_gone_is_forgotten() -> None:
    assert [*new_order(of_one("gone", "b"), {"b"}, {"c"})] == ["b", "c"]


@pytest.mark.parametrize(("keep", "removed"), [(0, []), (1, ["a", "b"]), (2, ["a"]), (9, [])])
def test_the_limit(keep: int, removed: list[str]) -> None:
    assert surplus(of_one("a", "b", "c"), keep, {"c"}) == removed


def test_never_what_is_published_now() -> None:
    assert surplus(of_one("a", "b", "c"), 1, {"b", "c"}) == ["a"]
    # The build that another builder publishes is the oldest.
    assert surplus(of_one("a", "b", "c", "d"), 2, {"a", "d"}) == ["b"]


def test_one_builder_uses_up_the_limit_of_no_other() -> None:
    names = [*("a1", "b1", "c1", "a2", "b2"), *(f"c{number}" for number in range(2, 9))]
    order = {name: {"a": "alice", "b": "bob", "c": "carol"}[name[0]] for name in names}
    wanted = {"a2", "b2", "c8"}
    removed = surplus(order, 2, wanted, by_builder=True)
    assert removed == ["c1", *(f"c{number}" for number in range(2, 7))]
    assert surplus({**order, "old": "", "older": ""}, 1, wanted, by_builder=True)[-1] == "old"
    # The only builder has all that there is.
    assert surplus(order, 2, wanted) == [one for one in names[:-2] if one not in wanted]


def test_the_record(tmp_path: Path) -> None:
    assert read_order(tmp_path) == {}
    order = {"a": "alice", "b": ""}
    write_order(tmp_path, order)
    assert [*read_order(tmp_path).items()] == [*order.items()]
    (tmp_path / RECORD).write_text("{")
    assert read_order(tmp_path) == {}


def test_the_record_of_an_earlier_release(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text('["b", "a", 1, {"version": 2}, {"x": "y"}]')
    assert [*read_order(tmp_path).items()] == [("b", ""), ("a", "")]
