# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import problem_report


@pytest.fixture(autouse=True)
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_hosts_are_named_where_it_is_not_true_of_all() -> None:
    problems = problem_report.Problems()
    hosts = [f"web{number}" for number in range(5)]
    for host in hosts:
        problems.add("a is wrong", host)
    for host in hosts[:4]:
        problems.add("b\nis  wrong", host)
    assert problems.sentences(hosts) == [
        "a is wrong",
        "b is wrong [web0, web1, web2 and 1 more hosts]",
    ]


def test_what_a_terminal_would_obey_is_shown() -> None:
    problems = problem_report.Problems()
    problems.add("\x1b[2J")
    assert problems.sentences() == ["\\x1b[2J"]


def test_a_few_are_shown(tmp_path: Path) -> None:
    message = problem_report.message(["a is 1", "b is 2"], ["note"])
    assert message.splitlines()[1:] == ["- a is 1", "- b is 2", "note"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "sentences", [["x"] * 500, ["x" * 100] * 500, ["y" * 20_000], ["z" * 1400] * 3]
)
def test_many_go_to_a_file(tmp_path: Path, sentences: list[str]) -> None:
    message = problem_report.message([f"{text}{number}" for number, text in enumerate(sentences)])
    assert len(message.splitlines()) < 20
    assert len(message) < 3200
    (path,) = tmp_path.iterdir()
    assert f"All of it is in {path} on the control node." in message
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == len(sentences)
    assert re.search(rf"^Nothing was done. {len(sentences)} thing", message)


def test_lines_fit_a_terminal() -> None:
    path = "/" + "a-b" * 50
    lines = problem_report.message(["word " * 60, f"{path} is wrong", "x"]).splitlines()[1:]
    assert max(len(line) for line in lines if path not in line) <= 100
    assert [line[:2] for line in lines] == ["- ", "  ", "  ", "  ", "- ", "  ", "- "]
    assert any(path in line for line in lines)
    assert " ".join(lines).count("word") == 60
