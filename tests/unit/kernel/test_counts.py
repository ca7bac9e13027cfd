# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts() of the selftests lets pass, and what it does not: on counters that are made up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SELFTESTS = HERE.parents[2] / "files/kernel/selftests"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("counts") / "fake_counts"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", f"-I{SELFTESTS}",
         "-Wl,--wrap=syscall", "-o", str(made), str(HERE / "fake_counts.c"),
         str(SELFTESTS / "lib.c")],
        check=True,
    )  # fmt: skip
    return made


def run(program: Path, *arguments: object) -> tuple[bool, str]:
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if "ok 1" in line)
    assert done.returncode == line.startswith("not ")
    return line.startswith("ok "), done.stdout


def test_what_is_exact_each_time_passes(program: Path) -> None:
    good, output = run(program, "more")
    assert good
    assert "counted 5 open in 10 of 10 attempts, 0 others were disturbed" in output


@pytest.mark.parametrize("scenario", ["less", "masked"])
@pytest.mark.parametrize("every", [1, 2, 5])
def test_one_attempt_that_counts_too_little_fails(program: Path, scenario: str, every: int) -> None:
    good, output = run(program, scenario, every)
    assert not good
    assert "should have counted 5 open, counted 4 open" in output
    assert f"in attempt {every}" in output


@pytest.mark.parametrize("every", [1, 2, 3, 5, 8])
def test_too_much_in_some_attempts_of_a_machine_at_rest_fails(program: Path, every: int) -> None:
    good, output = run(program, "more", every)
    assert not good
    assert "counted 6 open, 0 read, 0 write, 0 fork; in 2 of" in output


def test_too_much_once_is_forgiven_and_reported(program: Path) -> None:
    good, output = run(program, "once", 4)
    assert good
    assert "in 20 of 21 attempts" in output
    assert "# 1 attempt(s) with nobody seen at work counted 6 open" in output


def test_long_works_are_tried_less_often(program: Path) -> None:
    good, output = run(program, "more", 0, 110)
    assert good
    assert "in 3 of 3 attempts" in output
    assert not run(program, "more", 1, 110)[0]
    assert not run(program, "more", 2, 110)[0]
    assert not run(program, "less", 3, 110)[0]
    assert not run(program, "more", 3, 110)[0]


def test_nothing_is_forgiven_where_nothing_else_runs(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSLAB_ALONE", "1")
    assert run(program, "more")[0]
    assert not run(program, "once", 4)[0]
    good, output = run(program, "more", 0, 110)
    assert good
    assert "in 6 of 6 attempts" in output
    assert not run(program, "more", 5, 110)[0]


@pytest.mark.parametrize("every", [2, 3, 5])
def test_too_much_while_another_process_calls_fails_nothing(program: Path, every: int) -> None:
    good, output = run(program, "other", every)
    assert good, output
    assert "in 10 of 10 attempts" in output
    assert run(program, "other", every, 110)[0]


def test_too_much_each_time_is_not_excused_by_another_process(program: Path) -> None:
    good, output = run(program, "other", 1)
    assert not good
    assert "not known whether 5 open is right" in output


def test_somebody_else_by_fits_fails_nothing(program: Path) -> None:
    good, output = run(program, "fits")
    assert good, output


def test_a_machine_that_never_rests_is_reported(program: Path) -> None:
    good, output = run(program, "restless")
    assert not good
    assert "not known whether 5 open is right: 48 of 48 attempts were disturbed" in output
