# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of text as lines with aligned columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text


def lines(
    rows: Sequence[Sequence[str]], right: Collection[int] = (), longest: int = plain_text.CELL
) -> list[str]:
    """The first row, a rule as wide as the table, the others. `right`: columns of numbers.

    A cell may hold any text: what a terminal would obey is shown as an escape, and what has more
    than `longest` characters is cut.
    """
    plain = [[plain_text.cell(cell, longest) for cell in row] for row in rows]
    widths = [max(map(plain_text.width, column)) for column in zip(*plain)]
    width = sum(widths) + len(" | ") * (len(widths) - 1)

    def padded(number: int, cell: str) -> str:
        space = " " * (widths[number] - plain_text.width(cell))
        return space + cell if number in right else cell + space

    made = [
        " | ".join(padded(number, cell) for number, cell in enumerate(row)).rstrip()
        for row in plain
    ]
    return [made[0], "=" * width, *made[1:]]
