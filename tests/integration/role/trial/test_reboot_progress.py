# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a terminal, and a log, show while hosts reboot. The hosts only pretend to."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    COMMAND,
    CONNECTIONS,
    LOCAL,
    ROOT,
    run_playbook,
)

PLAY = """
- name: Reboot
  hosts: all
  gather_facts: false
  serial: 2
  tasks:
    - name: Reboot the host
      oslab.kernel.throttled_reboot:
        reboot_timeout: 60
    - name: Go on
      ansible.builtin.debug:
        msg: went on
"""
CALLBACK: dict[str, Any] = {"ANSIBLE_CALLBACKS_ENABLED": "oslab.kernel.reboot_progress"}
ROWS, COLUMNS = 24, 100


@pytest.fixture
def play(tmp_path: Path) -> tuple[Path, Path]:
    """A playbook and its inventory: two waves of three hosts, of which web2 is the slowest."""
    book = tmp_path / "reboot.yml"
    book.write_text(PLAY)
    hosts: dict[str, Any] = {
        name: {"rebooting_file": str(tmp_path / name), "rebooting_silent": silent}
        for name, silent in (("web1", 1), ("web2", 2), ("web3", 1))
    }
    inventory = tmp_path / "hosts.json"
    everyone = {**LOCAL, "ansible_connection": "rebooting"}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": everyone}}))
    return book, inventory


def on_terminal(
    book: Path, inventory: Path, limit: str = "all", end_at: bytes = b"", **environment: str
) -> str:
    """All that ansible-playbook wrote to a terminal.

    :param end_at: it gets SIGTERM once it has written this.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    given = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(CONNECTIONS),
        "TERM": "xterm",
        **CALLBACK,
    }
    process = subprocess.Popen(
        [*COMMAND, "--inventory", str(inventory), f"--limit={limit}", str(book)],
        cwd=ROOT,
        env={**os.environ, **given, **environment},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    output = b""
    try:
        while piece := os.read(master, 4096):
            output += piece
            if end_at and end_at in output:
                process.terminate()
                end_at = b""
    except OSError:  # its last writer has ended
        pass
    process.wait(timeout=60)
    os.close(master)
    return output.decode()


def test_a_terminal_shows_a_line_for_each_host(play: tuple[Path, Path]) -> None:
    output = on_terminal(*play)
    # A region for the text, two lines below it, and all lines for the text in the end.
    assert f"\x1b[1;{ROWS - 2}r" in output
    assert output.rindex("\x1b[r") > output.rindex(f"\x1b[1;{ROWS - 1}r")
    for host, wave, state in (
        ("web1", 1, "shuts down"),
        ("web1", 1, "does not answer"),
        ("web1", 1, "answers"),
        ("web2", 1, "does not answer"),
        ("web3", 2, "shuts down"),
    ):
        line = rf"\x1b\[2K{host} +0:\d\d  wave {wave}  {state}\x1b"
        assert re.search(line, output), (host, state, output)
    assert "web1: shuts down" not in output
    # After it nothing is written below the text.
    assert "\x1b[2K" not in output[output.rindex("\x1b[r") :]


def test_a_run_that_is_ended_gives_the_terminal_back(play: tuple[Path, Path]) -> None:
    output = on_terminal(*play, end_at=b"wave 1  does not answer")
    assert "Go on" not in output
    assert "\x1b[2K" not in output[output.rindex("\x1b[r") :]
    assert output.rindex("\x1b[r") > output.rindex(f"\x1b[1;{ROWS - 2}r")


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"AWX_ISOLATED_DATA_DIR": "/runner"}])
def test_what_is_read_by_a_program_has_plain_lines(
    play: tuple[Path, Path], environment: dict[str, Any]
) -> None:
    output = on_terminal(*play, "web1", **environment)
    assert "\x1b[2K" not in output and not re.search(r"\x1b\[[0-9;]*r", output)
    assert "web1: does not answer (0:" in output


def test_a_log_has_a_line_for_each_change(play: tuple[Path, Path]) -> None:
    book, inventory = play
    run = run_playbook(
        book,
        "--limit=web1",
        inventory=inventory,
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        **CALLBACK,
    )
    assert "\x1b" not in run.output
    for line in (
        r"web1: shuts down \(0:00\)",
        r"web1: does not answer \(0:\d\d\)",
        r"web1: answers \(0:\d\d\)",
    ):
        assert len(re.findall(rf"^{line}$", run.output, re.MULTILINE)) == 1, (line, run.output)


def test_check_mode_has_none(play: tuple[Path, Path]) -> None:
    book, inventory = play
    run = run_playbook(
        book,
        "--check",
        inventory=inventory,
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        **CALLBACK,
    )
    assert run.recap("changed") == 1 and "shuts down" not in run.output
