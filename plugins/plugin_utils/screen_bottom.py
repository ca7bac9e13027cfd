# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a terminal, below the text that scrolls, as apt has its progress bar.

The text scrolls in a region of its own (DECSTBM), so whoever else writes need not know of these
lines. Each of the methods writes once, so that nothing of others comes in between.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

_SAVE, _RESTORE, _CLEAR = "\x1b7", "\x1b8", "\x1b[2K"


def read_by_program(environment: Mapping[str, str]) -> bool:
    """Whether AWX or ansible-navigator reads what would be a person's terminal.

    Both give ansible-playbook one. They use ansible-runner, which sets a variable.
    """
    return "AWX_ISOLATED_DATA_DIR" in environment


def usable(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Whether a person sits there."""
    if read_by_program(environment):
        return False
    return environment.get("TERM", "") not in ("", "dumb", "unknown") and os.isatty(descriptor)


def _printable(line: str) -> str:
    """The line without what would move the cursor, as the name of a host may have it."""
    return "".join(char if char.isprintable() else "?" for char in line)


class ScreenBottom:
    """Some lines of the terminal that a descriptor writes to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._height = 0
        self._size = os.terminal_size((0, 0))

    def height(self) -> int:
        """How many lines may be used: a third of the terminal's; 0 if it is too small for any."""
        rows = os.get_terminal_size(self._descriptor).lines
        return rows // 3 if rows >= 9 else 0

    def width(self) -> int:
        """Characters of a line. In the last column some terminals begin a new line."""
        return max(os.get_terminal_size(self._descriptor).columns - 1, 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Show these, from the first one of the place on."""
        size = os.get_terminal_size(self._descriptor)
        text = ""
        if size != self._size and self._height:
            # The old lines are somewhere in the text now. They scroll away with it.
            text, self._height = f"{_SAVE}\x1b[r{_RESTORE}", 0
        lines = lines[: self.height()]
        if len(lines) > self._height:
            text += self._reserve(size, len(lines))
        first = self._size.lines - self._height + 1
        text += _SAVE
        for number in range(self._height):
            line = _printable(lines[number]) if number < len(lines) else ""
            text += f"\x1b[{first + number};1H{_CLEAR}{line}"
        self._write(text + _RESTORE)

    def close(self) -> None:
        """Give the lines back."""
        if not self._height:
            return
        first = self._size.lines - self._height + 1
        cleared = "".join(f"\x1b[{first + number};1H{_CLEAR}" for number in range(self._height))
        self._write(f"{_SAVE}{cleared}\x1b[r{_RESTORE}")
        self._height, self._size = 0, os.terminal_size((0, 0))

    def _reserve(self, size: os.terminal_size, height: int) -> str:
        # The text moves up, so that the cursor is above the lines.
        more = height - self._height
        self._height, self._size = height, size
        return "\n" * more + f"{_SAVE}\x1b[1;{size.lines - height}r{_RESTORE}" + f"\x1b[{more}A"

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._descriptor, data) :]
