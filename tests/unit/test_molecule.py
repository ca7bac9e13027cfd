# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/system/molecule.py: failures are repeated from the log of a real ansible-playbook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.system import molecule

ROOT = Path(__file__).resolve().parents[2]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Fine
      ansible.builtin.debug: {msg: hello}
    - name: Answered
      block:
        - ansible.builtin.fail: {msg: "was answered"}
      rescue:
        - name: Answer
          ansible.builtin.debug: {msg: hello again}
    - name: Each of two
      ansible.builtin.fail: {msg: "item {{ item }}\\nsecond: line"}
      loop: [1, 2]
- hosts: localhost
  tasks:
    - name: Not reached
      ansible.builtin.debug: {msg: hello}
"""


def _program(directory: Path, text: str) -> dict[str, str]:
    """An environment in which `molecule` is this program."""
    program = directory / "molecule"
    program.write_text(f"#!/bin/sh\n{text}")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}


def _run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tests/system/molecule.py"), *arguments],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_tasks_that_failed_are_the_last_words(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    playbook = Path(sys.executable).with_name("ansible-playbook")
    script = f"{playbook} {tmp_path}/play.yml\nstatus=$?\nseq 1000\nexit $status\n"
    done = _run(_program(tmp_path, script), "test")
    assert done.returncode == 2, done.stderr
    _before, _all, after = done.stdout.partition("\n1000\n")
    tasks = [line for line in after.splitlines() if line.startswith("TASK [")]
    assert tasks == ["TASK [ansible.builtin.fail]", *["TASK [Each of two]"] * 2], after
    assert "item 2" in after and "second: line" in after
    assert "hello" not in after


def test_a_run_without_a_failure_says_nothing_more(tmp_path: Path) -> None:
    environment = _program(tmp_path, 'echo "fatal: [x]" >"$ANSIBLE_LOG_PATH"; echo "$@"\n')
    done = _run(environment, "test", "--scenario-name", "faults")
    assert (done.returncode, done.stdout) == (
        0,
        f"--base-config {molecule.BASE} test --scenario-name faults\n",
    )


def test_a_long_answer_is_cut() -> None:
    head = "2026-01-01 00:00:00,000 p=1 u=root n=ansible INFO| "
    found = molecule.failures(
        [f"{head}TASK [Long] ***\n", f"{head}fatal: [a]: FAILED!\n", "x" * 5000]
    )
    assert len(found) == 1
    assert found[0].startswith("TASK [Long]\nfatal: [a]: FAILED!\nxxx")
    assert len(found[0]) < molecule.CHARACTERS + 50


def test_the_tasks_that_took_longest() -> None:
    def line(second: int, words: str) -> str:
        return f"2026-01-02 03:04:{second:02},000 p=7 u=root n=ansible INFO| {words}\n"

    log = [
        line(0, "PLAY [all] ****"),
        line(1, "TASK [short] ****"),
        line(2, "ok: [x]"),
        line(3, "TASK [role : long] ****"),
        "a line that belongs to it\n",
        line(40, "changed: [x]"),
        line(41, "PLAY RECAP ****"),
        line(59, "x : ok=2"),
    ]
    assert molecule.longest(log) == ["    38 s  TASK [role : long]", "     2 s  TASK [short]"]
    assert molecule.longest(log, 1) == ["    38 s  TASK [role : long]"]
    assert molecule.longest([]) == []


@pytest.mark.parametrize(
    "scenario",
    sorted((ROOT / "molecule").glob("*/molecule.yml")),
    ids=lambda path: path.parent.name,
)
def test_options_of_a_verifier_are_text_or_switches(scenario: Path) -> None:
    """Molecule joins them to a command: a number ends it before the first test."""
    options = yaml.safe_load(scenario.read_text()).get("verifier", {}).get("options", {})
    assert [value for value in options.values() if not isinstance(value, (str, bool))] == []
