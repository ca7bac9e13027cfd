# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report, and that nothing fails for want of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.action import write_report
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import files, page
from ansible_collections.oslab.kernel.tests.lib import report_example as example

NAMES = ["report.html", "report.json", "report.xml"]


class Screen:
    """What was printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def display(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Screen:
    made = Screen()
    monkeypatch.setattr(write_report, "display", made)
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(write_report.constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
    return made


def act(
    directory: Path | str, *, check: bool = False, variables: Any = None, **options: Any
) -> dict[str, Any]:
    action = write_report.ActionModule.__new__(write_report.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    hosts, groups = variables or ({"web1": example.host(), "web2": example.host(2)}, {})
    given = {
        **{"dir": str(directory), "run": "verify", "hosts": ["web1", "web2"]},
        **{"answering": ["web1", "web2"], "wave": [], "begins": False, "building": False},
        **{"builds": {}, "show": True},
        **options,
    }
    return action.act(given, {"hostvars": hosts, "groups": groups})


def test_the_files_are_written_and_named(screen: Screen, tmp_path: Path) -> None:
    directory = tmp_path / "a/report"
    result = act(directory)
    assert result == {"changed": False, "files": [str(directory / name) for name in NAMES]}
    assert screen.lines == [f"Report: {directory}/report.html"]
    assert sorted(path.name for path in directory.iterdir()) == NAMES
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o640}
    assert directory.stat().st_mode & 0o777 == 0o750
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    assert report["outcomes"] == {"verified": 2}
    assert report["versions"].startswith("oslab.kernel ")


def test_an_earlier_report_is_replaced_and_hosts_of_earlier_plays_stay(
    screen: Screen, tmp_path: Path
) -> None:
    directory = tmp_path / "report"
    act(directory, show=False)
    (directory / "report.html").write_text("of an earlier run")
    (directory / "mine.txt").write_text("of the user")
    act(directory, hosts=["web2"], answering=[], show=False)
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    assert {host["name"]: host["outcome"] for host in report["hosts"]} == {
        "web1": "verified",
        "web2": "lost",
    }
    assert "of an earlier run" not in (directory / "report.html").read_text()
    assert (directory / "mine.txt").read_text() == "of the user"
    assert screen.lines == []


def test_a_build_has_a_report_if_the_run_has_targets(screen: Screen, tmp_path: Path) -> None:
    """The play of the builders has none of them: they are those of an earlier play."""
    directory = tmp_path / "report"
    assert act(directory, hosts=[], building=True)["files"] == []
    assert screen.lines == []
    assert not directory.exists()
    hosts = {"alice": {"build_failure": "no space"}, "web1": {}}
    groups = {"kernel_builders": ["alice"]}
    act(
        directory,
        hosts=["web1"],
        run="deploy",
        building=True,
        show=False,
        variables=(hosts, groups),
    )
    act(directory, hosts=[], run="deploy", building=True, show=False, variables=(hosts, groups))
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    (host,) = report["hosts"]
    assert (host["outcome"], host["passed"]) == ("no_kernel", False)
    assert host["cause"] == "alice: the kernel was not built. no space"


def test_without_a_directory_and_in_check_mode_nothing_is_written(
    screen: Screen, tmp_path: Path
) -> None:
    for result in (act(""), act(tmp_path / "report", check=True)):
        assert result["skipped"]
        assert result["changed"] is False
        assert result["msg"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_directory_that_cannot_be_written_is_a_warning(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    result = act(tmp_path / "report")
    assert "failed" not in result
    assert result["files"] == []
    (warning,) = screen.warnings
    assert f"{tmp_path}/report (report_dir)" in warning
    assert "Not a directory" in warning
    assert (tmp_path / "report").read_text() == "a file"


def test_a_fault_of_ours_is_a_warning(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_report: Any) -> str:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(page, "render", broken)
    assert "failed" not in act(tmp_path / "report")
    assert "ZeroDivisionError: oops" in screen.warnings[0]
    # No half of a report.
    assert not (tmp_path / "report").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="it needs root")
def test_root_leaves_no_file_of_its_own_among_those_of_a_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    written = files.write(tmp_path / "a/b", {"report.html": "x"})
    for path in (*written, tmp_path / "a/b", tmp_path / "a"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)
