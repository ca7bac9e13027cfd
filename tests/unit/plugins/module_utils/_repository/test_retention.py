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


def test_what_is_published_again_is_the_newest() -> None:
    assert new_order(["a", "b", "c"], {"a", "b", "c"}, {"a"}) == ["b", "c", "a"]


def test_what_no_record_tells_of_is_the_oldest() -> None:
    assert new_order(["b"], {"a", "b"}, {"c"}) == ["a", "b", "c"]


def test_what_is_gone_is_forgotten() -> None:
    assert new_order(["gone", "b"], {"b"}, {"c"}) == ["b", "c"]


@pytest.mark.parametrize(("keep", "removed"), [(0, []), (1, ["a", "b"]), (2, ["a"]), (9, [])])
def test_the_limit(keep: int, removed: list[str]) -> None:
    assert surplus(["a", "b", "c"], keep, {"c"}) == removed


def test_never_what_is_published_now() -> None:
    assert surplus(["a", "b", "c"], 1, {"b", "c"}) == ["a"]
    # The build that another builder publishes is the oldest.
    assert surplus(["a", "b", "c", "d"], 2, {"a", "d"}) == ["b"]


def test_the_record(tmp_path: Path) -> None:
    assert read_order(tmp_path) == []
    write_order(tmp_path, ["a", "b"])
    assert read_order(tmp_path) == ["a", "b"]
    (tmp_path / RECORD).write_text("{")
    assert read_order(tmp_path) == []
