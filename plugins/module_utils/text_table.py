# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of text as lines with aligned columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def lines(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """The first row, a rule as wide as the table, the others. `right`: columns of numbers."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    width = sum(widths) + len(" | ") * (len(widths) - 1)
    made = [
        " | ".join(
            cell.rjust(wide) if number in right else cell.ljust(wide)
            for number, (cell, wide) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return [made[0], "=" * width, *made[1:]]
