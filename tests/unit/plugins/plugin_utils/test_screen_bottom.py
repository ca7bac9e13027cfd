# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines at the bottom of a terminal: what is written to it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import tty
from collections.abc import Iterator

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.screen_bottom import (
    ScreenBottom,
    usable,
)


class Terminal:
    """One of a given size, of which the test reads what it is sent."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.resize(24)

    def resize(self, rows: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))

    def sent(self) -> str:
        return os.read(self.master, 65536).decode()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    os.close(made.master)
    os.close(made.slave)


def test_the_text_scrolls_above_the_lines(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    bottom.draw(["one", "two"])
    # The text moves up, so that the cursor is above the lines, where it stays.
    assert terminal.sent() == (
        "\n\n\x1b7\x1b[1;22r\x1b8\x1b[2A\x1b7\x1b[23;1H\x1b[2Kone\x1b[24;1H\x1b[2Ktwo\x1b8"
    )
    bottom.draw(["three"])
    assert terminal.sent() == "\x1b7\x1b[23;1H\x1b[2Kthree\x1b[24;1H\x1b[2K\x1b8"


def test_a_name_moves_no_cursor(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    bottom.draw(["one\x1b[2J\nö"])
    assert terminal.sent().endswith("\x1b[2Kone?[2J?ö\x1b8")


def test_more_lines_take_more_of_the_terminal(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    bottom.draw(["one"])
    terminal.sent()
    bottom.draw(["one", "two", "three"])
    assert terminal.sent().startswith("\n\n\x1b7\x1b[1;21r\x1b8\x1b[2A\x1b7\x1b[22;1H")


def test_a_terminal_that_changes_its_size(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    bottom.draw(["one"])
    terminal.sent()
    terminal.resize(12)
    bottom.draw(["one"])
    assert terminal.sent().endswith("\x1b[1;11r\x1b8\x1b[1A\x1b7\x1b[12;1H\x1b[2Kone\x1b8")
    assert bottom.height() == 4


def test_the_lines_are_given_back(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    bottom.draw(["one"])
    terminal.sent()
    bottom.close()
    assert terminal.sent() == "\x1b7\x1b[24;1H\x1b[2K\x1b[r\x1b8"
    bottom.close()
    os.write(terminal.slave, b"end")
    assert terminal.sent() == "end"


def test_a_small_terminal_has_no_room(terminal: Terminal) -> None:
    bottom = ScreenBottom(terminal.slave)
    assert bottom.height() == 8
    assert bottom.width() == 79
    terminal.resize(8)
    assert bottom.height() == 0


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}, False),
    ],
)
def test_where_a_person_sits(terminal: Terminal, environment: dict[str, str], wanted: bool) -> None:
    assert usable(terminal.slave, environment) is wanted


def test_a_pipe_is_no_terminal() -> None:
    reader, writer = os.pipe()
    assert not usable(writer, {"TERM": "xterm"})
    os.close(reader)
    os.close(writer)


def test_a_terminal_that_is_smaller_than_the_lines_were(terminal: Terminal) -> None:
    terminal.resize(60)
    bottom = ScreenBottom(terminal.slave)
    bottom.draw([str(number) for number in range(20)])
    assert "\x1b[1;40r" in terminal.sent()
    terminal.resize(12)
    bottom.draw([str(number) for number in range(20)])
    sent = terminal.sent()
    assert sent.startswith("\x1b7\x1b[r\x1b8")
    assert "\x1b[1;8r" in sent and "-" not in sent
    terminal.resize(5)
    bottom.draw(["one"])
    assert terminal.sent() == "\x1b7\x1b[r\x1b8\x1b7\x1b8"
