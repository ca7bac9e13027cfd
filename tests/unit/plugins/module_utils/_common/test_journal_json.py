# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the journal, as a host prints them, or anything else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import journal_json


def test_lines_that_hold_no_entry_are_left_out() -> None:
    data = b'{"MESSAGE": "a"}\nno JSON\n["a list"]\n\xff\n\n{"MESSAGE": "b"}'
    assert [entry["MESSAGE"] for entry in journal_json.entries(data)] == ["a", "b"]
    assert list(journal_json.entries(b"")) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ([104, 105], "hi"),
        ([255], "\ufffd"),
        ([256], ""),
        ([True], ""),
        (["a"], ""),
        (None, ""),
        (5, ""),
    ],
)
def test_the_text_of_an_entry(value: Any, text: str) -> None:
    assert journal_json.message({"MESSAGE": value}) == text
    assert journal_json.message({}) == ""
