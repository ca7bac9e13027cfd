# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answer of a target counts, of all that are stored on a builder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import answers

STOCK, OURS = {"release": "6.1", "oslab": None}, {"release": "6.8-x", "oslab": True}
TARGETS = ["web1", "web2"]


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    return tmp_path / "trees"


def store(trees: Path, tree: str, when: int = 1, **hosts: Any) -> Path:
    place = trees / tree / "inputs"
    place.mkdir(parents=True, mode=0o755)
    path = place / answers.NAME
    path.write_text(json.dumps(hosts))
    os.utime(path, (when, when))
    return place


def known(trees: Path, tree: str = "new") -> answers.Known:
    return answers.known(trees / tree / "inputs", trees, TARGETS)


def test_nothing_is_known(trees: Path) -> None:
    assert known(trees) == ({}, {})
    assert answers.known(trees, Path("/dev/null"), TARGETS) == ({}, {})


def test_what_the_tree_itself_knows_counts_first(trees: Path) -> None:
    store(trees, "old", web1=STOCK)
    # The user has asked for it anew.
    store(trees, "new", web1=OURS, gone=STOCK)
    assert known(trees).hosts == {"web1": OURS, "gone": STOCK}


def test_a_new_tree_has_the_first_answer_of_a_stock_kernel(trees: Path) -> None:
    first = {**STOCK, "modules": ["xfs"]}
    place = store(trees, "b", when=5, web1=first, other=STOCK)
    (place / "web1.config").write_text("CONFIG_XFS_FS=m\n")
    store(trees, "a", when=9, web1={**STOCK, "modules": []}, web2=OURS)
    found = known(trees)
    # web2 is asked in this run. What is no target is not taken along.
    assert found.hosts == {"web1": first}
    assert found.configurations == {"web1.config": place / "web1.config"}
    (trees / "new/inputs").mkdir(parents=True)
    (trees / "new/inputs/web1.config").write_text("CONFIG_MINE=y\n")
    assert known(trees).configurations == {}


def test_what_others_may_have_written_is_not_taken(trees: Path, tmp_path: Path) -> None:
    place = store(trees, "old", web1=STOCK)
    (place / "web1.config").symlink_to("/etc/hostname")
    assert known(trees) == ({"web1": STOCK}, {})
    for path in (place, place / answers.NAME):
        mode = path.stat().st_mode
        path.chmod(0o777)
        assert known(trees).hosts == {}
        path.chmod(mode)
    assert known(trees).hosts == {"web1": STOCK}
    (place / answers.NAME).rename(tmp_path / "x")
    (place / answers.NAME).symlink_to(tmp_path / "x")
    assert known(trees).hosts == {}


def test_what_cannot_be_read(trees: Path) -> None:
    place = store(trees, "old", web1=STOCK)
    (place / answers.NAME).write_text("{")
    assert known(trees).hosts == {}
    with pytest.raises(answers.AnswersError, match=r"old/inputs/targets\.json cannot be read: .*"):
        known(trees, "old")
    store(trees, "older", web1=["x"])
    assert known(trees).hosts == {}
