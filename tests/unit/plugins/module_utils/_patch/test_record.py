# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syscalls of a tree, as kernel_patch writes them down and later roles read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import tree_records
from ansible_collections.oslab.kernel.plugins.module_utils._patch import record as patch_record
from ansible_collections.oslab.kernel.plugins.module_utils._patch.record import Added, RecordError

ONE = Added("get_answer", "GET_ANSWER", "get-answer.c", own=True, called=False)


def write(tree: Path, record: Any) -> None:
    (tree / ".oslab").mkdir(exist_ok=True)
    (tree / tree_records.PATCH).write_text(json.dumps(record))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"entries": [patch_record.entry(ONE)]})
    assert patch_record.added(tmp_path) == [ONE]
    assert ONE.object == "kernel/get-answer.o"


def test_a_tree_without_a_record_has_none(tmp_path: Path) -> None:
    assert patch_record.added(tmp_path) == []
    write(tmp_path, {"syscalls": {"a": 463}})
    assert patch_record.added(tmp_path) == []


@pytest.mark.parametrize(
    "entries",
    [
        "x",
        [1],
        [{}],
        *(
            [{**patch_record.entry(ONE), name: value}]
            for name, value in (
                ("name", "a b"),
                ("kconfig", "a"),
                ("kconfig", None),
                ("source", "../x.c"),
                ("source", "$(x).c"),
                ("own", "yes"),
                ("called", 1),
            )
        ),
    ],
)
def test_another_form_is_refused(tmp_path: Path, entries: Any) -> None:
    write(tmp_path, {"entries": entries})
    with pytest.raises(RecordError, match="run the role patch again"):
        patch_record.added(tmp_path)


def test_no_json_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / tree_records.PATCH).write_text("{")
    with pytest.raises(RecordError, match="cannot be read"):
        patch_record.added(tmp_path)
