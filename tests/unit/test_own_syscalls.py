# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make … VARS=FILE`: the file gets to the playbook, and what is wrong with it is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/own_syscalls.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no such file in "),
        ("", "the file is empty. It begins with a line `patch_syscalls_extra:`"),
        ("---\n# later\n", "the file is empty"),
        ("- name: x\n", "it has no variables"),
        ("a: [\n", "it is no YAML"),
    ],
)
def test_what_is_no_file_of_variables(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "my.yml"
    if text is not None:
        path.write_text(text)
    done = run("check", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"VARS={path}: ")
    assert message in done.stderr


@pytest.mark.parametrize("text", ["a: !vault x\n", '{"a": "{{ b }}"}', "$ANSIBLE_VAULT;1.1\n00\n"])
def test_what_is_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "my.yml"
    path.write_text(text)
    assert run("check", path).returncode == 0


def test_each_syscall_of_a_tree_is_a_line(tmp_path: Path) -> None:
    (tmp_path / ".oslab").mkdir()
    entries = [{"name": name, "kconfig": name.upper(), "source": f"{name}.c"} for name in "ab"]
    record = {"syscalls": {"a": 466, "b": 467}, "entries": entries}
    (tmp_path / ".oslab/patch.json").write_text(json.dumps(record))
    (tmp_path / ".config").write_text("CONFIG_A=y\n# CONFIG_B is not set\n")
    assert run("list", tmp_path).stdout.splitlines() == [
        "a: number 466, CONFIG_A=y, kernel/a.c",
        "b: number 467, CONFIG_B is not set, kernel/b.c",
    ]


@pytest.mark.parametrize("goal", ["quickstart", "lab-fleet", "try-syscalls"])
def test_the_file_gets_to_the_playbook(tmp_path: Path, goal: str) -> None:
    path = tmp_path / "my.yml"
    path.write_text("a: 1\n")
    make = ["make", "--dry-run", "--old-file=deps", goal]

    def printed(*more: str) -> str:
        return subprocess.run(
            [*make, *more], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

    output = printed(f"VARS={path}")
    assert f'own_syscalls.py check "{path}"' in output
    playbooks = [line for line in output.replace("\\\n", "").splitlines() if "-playbook" in line]
    assert f'--extra-vars "@{path}"' in playbooks[-1]
    assert "extra-vars" not in printed().replace("--extra-vars lab_fleet_size", "")
    assert "own_syscalls.py check" not in printed()


@pytest.mark.parametrize("goal", ["quickstart", "lab-fleet"])
def test_the_version_gets_to_the_playbook_that_builds(tmp_path: Path, goal: str) -> None:
    path = tmp_path / "my.yml"
    path.write_text("a: 1\n")
    make = ["make", "--dry-run", "--old-file=deps", goal, "KERNEL=6.8", f"VARS={path}"]
    output = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    playbooks = [line for line in output.splitlines() if "-playbook" in line]
    version = '--extra-vars "source_provider=kernel_org source_version=6.8"'
    # The user's file comes last, so that it may name a mirror or another version.
    assert f'site.yml {version} --extra-vars "@{path}"' in playbooks[-1]
    assert all("kernel_org" not in line for line in playbooks[:-1])
