# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module build_stamp in plays: what is an input of a build, and what is none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import Run

FACTS = {"build_result": {"release": "6.8.0-49-usac1"}}


def _play(stamp: Path, watched: Path) -> list[dict[str, Any]]:
    module = "oslab.kernel.build_stamp"
    written = {
        "path": str(stamp),
        "state": "written",
        "inputs": "{{ asked.inputs }}",
        "watched": [str(watched)],
        "facts": FACTS,
    }
    tasks = [
        {"name": "Ask", module: {"path": str(stamp)}, "register": "asked", "tags": ["always"]},
        {
            "name": "Show",
            "ansible.builtin.debug": {
                "msg": "{{ 'current' if asked.current else 'not current: ' ~ asked.reason }};"
                " {{ asked.facts | to_json }};"
            },
            "tags": ["always"],
        },
        {
            "name": "Record",
            module: written,
            "when": ["not asked.current", "asked.inputs | length > 0"],
            "tags": ["publish"],
        },
    ]
    return [{"name": "Build", "hosts": "kernel_builders", "gather_facts": False, "tasks": tasks}]


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    path = tmp_path / "public"
    path.write_text("published\n")
    return path


@pytest.fixture
def fragment(tmp_path: Path) -> Path:
    path = tmp_path / "own.config"
    path.write_text("CONFIG_PM=y\n")
    return path


@pytest.fixture
def ask(
    playbook: Callable[..., Run], tmp_path: Path, watched: Path, fragment: Path
) -> Callable[..., str]:
    book = tmp_path / "play.json"
    book.write_text(json.dumps(_play(tmp_path / "stamp.json", watched)))
    given = {"config_fragments": [str(fragment)], "own": 1, "build_jobs": "{{ own }}"}

    def run(*options: str, **variables: Any) -> str:
        done = playbook(str(book), *options, **{**given, **variables})
        assert done.status == 0, done.output
        assert done.recap("changed") == 0
        found = re.search(r"((?:not )?current.*;)", " ".join(done.output.split()))
        assert found, done.output
        return found.group(1)

    return run


def test_the_second_run_has_the_facts_of_the_first(ask: Callable[..., str]) -> None:
    assert "no complete build was recorded" in ask()
    assert ask().startswith('current; {"build_result"')
    assert ask("--check").startswith("current")


def test_a_variable_and_what_its_template_names_are_inputs(ask: Callable[..., str]) -> None:
    ask()
    # A variable that no role of the builder has.
    assert ask(verify_workload=1).startswith("current")
    assert "a variable" in ask(own=2)
    assert ask(own=2).startswith("current")
    assert "a variable" in ask(own=2, patch_sysname="Other")


def test_a_file_that_a_variable_names_is_an_input(
    ask: Callable[..., str], fragment: Path, watched: Path
) -> None:
    ask()
    fragment.write_text("CONFIG_PM=n\n")
    assert "a file that a variable names" in ask()
    assert ask().startswith("current")
    watched.write_text("somebody else's\n")
    assert f"{watched} changed" in ask()


def test_check_mode_leaves_the_stamp_and_a_run_with_tags_does_not(
    ask: Callable[..., str], tmp_path: Path
) -> None:
    ask()
    assert "a variable" in ask("--check", own=2)
    assert ask().startswith("current")
    assert "only some steps" in ask("--tags", "publish")
    assert not (tmp_path / "stamp.json").exists()


def test_a_run_that_does_nothing_on_the_builder_leaves_the_stamp(ask: Callable[..., str]) -> None:
    ask()
    assert "only some steps" in ask("--tags", "install")
    assert ask().startswith("current")


def test_a_default_of_a_role_may_be_named(ask: Callable[..., str]) -> None:
    series = ["{{ patch_files }}/patches/0001-count-open-read-write-and-fork.patch"]
    ask(patch_series=series)
    assert ask(patch_series=series).startswith("current")


def test_another_address_of_the_builder_is_an_input(ask: Callable[..., str]) -> None:
    ask()
    assert "a variable" in ask(ansible_port=2222)


def test_a_secret_is_not_shown(ask: Callable[..., str]) -> None:
    assert "hunter2" not in ask(publish_gpg_key_file="{{ 'hunter2' | mandatory_nothing }}")
