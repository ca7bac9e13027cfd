# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns stay aligned, whatever is in their cells."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._common import text_table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [["name", "size"], ["a", "5"], ["longer", "10"]]
    assert text_table.lines(rows, right=[1]) == [
        "name   | size",
        "=" * 13,
        "a      |    5",
        "longer |   10",
    ]


def test_no_line_ends_with_spaces() -> None:
    assert text_table.lines([["a", "bc"], ["d", ""]]) == ["a | bc", "======", "d |"]


def test_a_cell_speaks_to_no_terminal_and_is_cut() -> None:
    (head, _rule, row) = text_table.lines([["a", "b"], ["\x1b[2J", "x" * 50]], longest=20)
    assert row.isprintable()
    assert head.index("|") == row.index("|")
    assert "x" * 15 in row
    assert "x" * 20 not in row
