# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import console, steps
from ansible_collections.oslab.kernel.tests.lib import smoke_line


@pytest.mark.parametrize(
    ("printed", "microseconds", "text"),
    [
        ("[    0.000000] Linux version 6.8.0\r\n", 0, "Linux version 6.8.0"),
        ("[   12.345678][    T1] indented: \t x\n", 12_345_678, "indented: \t x"),
        ("[12345.000001][  C1] a\x1b[32mb\n", 12345_000_001, "ab"),
        ("\x1bc\x1b[2JBooting from ROM..\x1bc\x1b[?7l\x1b[2J[    0.000000] first\n", 0, "first"),
    ],
)
def test_a_message(printed: str, microseconds: int, text: str) -> None:
    (record,) = console.parse(printed).records
    assert (record.microseconds, record.text, record.kernel) == (microseconds, text, True)


def test_lines_of_others_are_passed_over() -> None:
    assert console.parse("SeaBIOS\r\n[ x] y\n[1.2] z\nhello\n").records == []


def test_steps() -> None:
    found = console.parse(
        smoke_line.messages(
            "oslab-smoke: begin 0",
            "oslab-smoke: out 0 a: 1",
            "oslab-smoke: out 0  b: 2",
            "oslab-smoke: end 0 exit 3",
            "oslab-smoke: begin 1",
            "BUG: something",
        )
    )
    assert found.outcomes[0].text == "a: 1\n b: 2"
    assert (found.outcomes[0].how, found.outcomes[0].number) == (console.EXIT, 3)
    assert found.outcomes[1].how == ""
    assert not found.done
    assert found.step_at(5) == 1
    assert found.step_at(0) is None
    assert found.step_at(4) is None  # between two


def test_the_first_program_reports_all() -> None:
    planned = steps.plan(smoke_line.contents())
    found = console.parse(smoke_line.line(planned))
    assert found.done
    assert sorted(found.outcomes) == list(range(len(planned)))
    assert all(outcome.how == console.EXIT for outcome in found.outcomes.values())


@pytest.mark.parametrize(
    "printed",
    ["** 18 printk messages dropped **\r\n", "** 18 printk messages dropped ** [    1.000000] x\n"],
)
def test_messages_that_the_kernel_could_not_send(printed: str) -> None:
    assert console.parse(printed * 2).dropped == 36
    # A message that only says so.
    assert console.parse(smoke_line.messages("** 18 printk messages dropped **")).dropped == 0


def test_a_step_of_which_a_line_is_missing_is_not_whole() -> None:
    whole = ["oslab-smoke: begin 0", "oslab-smoke: out 0 x", "oslab-smoke: end 0 exit 0"]
    assert console.parse(smoke_line.messages(*whole)).outcomes[0].whole
    for missing in (0, 2):
        lines = [one for number, one in enumerate(whole) if number != missing]
        assert not console.parse(smoke_line.messages(*lines)).outcomes[0].whole


@pytest.mark.parametrize(
    "serial", ["", "oslab-smoke: end 99999999999 exit 1", "\0" * 100, "[" * 9999]
)
def test_rubbish(serial: str) -> None:
    assert console.parse(serial) == console.Console([], {}, False)
