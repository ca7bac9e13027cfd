# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of numbers says where, when and of which commit they are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.bench import figures
from ansible_collections.oslab.kernel.bench.figures import Figure


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docs/results").mkdir(parents=True)
    (tmp_path / "code").write_text("1")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "--quiet"), ("add", "."), (*identity, "commit", "-qm", "One")):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_each_benchmark_replaces_its_own_part(checkout: Path) -> None:
    figures.record("fleet", [Figure("CPU of a host", 3.456, "s", "≤ 3.5", True)], checkout)
    figures.record("syscalls", [Figure("read, % more", 3.5, "", "≤ 3", False)], checkout)
    figures.record("fleet", [Figure("CPU of a host", 251.4, "s")], checkout)
    page = (checkout / "docs/results/numbers.md").read_text()
    assert page.count("## fleet") == page.count("## syscalls") == 1
    assert "| CPU of a host | 251 s |  |  |" in page
    assert "| read, % more | 3.5 | ≤ 3 | **no** |" in page
    known = json.loads((checkout / "docs/results/numbers.json").read_text())["fleet"]
    head = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert head.stdout.startswith(known["commit"])
    assert f"commit {known['commit']}, on {figures.machine()}" in page


def test_no_directory_of_the_machine_is_recorded() -> None:
    words = ["--scratch", "/home/me/bs", "--json=/tmp/a.json", "--jobs", "2"]
    assert figures.command("syscalls", words) == (
        "bench/syscalls/run.py --scratch …/bs --json=…/a.json --jobs 2"
    )


def test_what_is_not_committed_is_not_recorded(checkout: Path) -> None:
    (checkout / "code").write_text("2")
    with pytest.raises(SystemExit, match="commit first what was measured: M code"):
        figures.record("fleet", [], checkout)
    assert not (checkout / "docs/results/numbers.json").exists()


def test_the_page_is_what_the_figures_make() -> None:
    path = figures.RESULTS / "numbers.json"
    if not path.exists():
        pytest.skip("nothing was recorded yet")
    page = (figures.RESULTS / "numbers.md").read_text()
    assert page == figures.page(json.loads(path.read_text()))
