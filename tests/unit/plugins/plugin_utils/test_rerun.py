# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a run that nobody types again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils import rerun

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = "/opt/venv/bin/ansible-playbook"


@pytest.mark.parametrize(
    ("program", "options", "words"),
    [
        (PROGRAM, {}, ""),
        (PROGRAM, {"vault_ids": ["lab@/root/secret"], "ask_vault_pass": False}, ""),
        (PROGRAM, {"vault_ids": ["lab@/root/prompt"]}, ""),
        (PROGRAM, {"become_ask_pass": True}, ""),
        ("/usr/bin/python3", {}, "it was started by python3, not ansible-playbook"),
        (PROGRAM, {"ask_vault_pass": True}, "it asks for the password of a vault"),
        (PROGRAM, {"vault_ids": ["lab@prompt"]}, "it asks for the password of a vault"),
        (PROGRAM, {"inventory": ["/dev/stdin"]}, "its inventory is not a file"),
        (PROGRAM, {"inventory": ["/dev/shm,"]}, ""),
        (PROGRAM, {"extra_vars": ["@/dev/fd/63"]}, "its file of extra variables is not a file"),
        (PROGRAM, {"extra_vars": ["@vars.yml", "a=/dev/sda"]}, ""),
        (PROGRAM, {"vault_password_files": ["/dev/fd/63"]}, "its vault's password is not a file"),
        (PROGRAM, {"vault_ids": ["lab@/proc/self/fd/9"]}, "its vault's password is not a file"),
        (PROGRAM, {"args": ["/tmp/a/site.yml"]}, "its playbook (/tmp/a/site.yml) is in a dir"),
        (PROGRAM, {"args": ["oslab.kernel.pull"]}, ""),
        (PROGRAM, {"inventory": ["/run/hosts"]}, "its inventory (/run/hosts) is in a dir"),
        (PROGRAM, {"extra_vars": ["@/tmp/v"]}, "its file of extra variables (/tmp/v) is in a dir"),
        (PROGRAM, {"vault_ids": ["/tmp/secret"]}, "its vault's password (/tmp/secret) is in a dir"),
    ],
)
def test_what_needs_a_person(program: str, options: dict[str, Any], words: str) -> None:
    found = rerun.problem(program, options, {}, "/srv/kernels")
    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_where_it_runs_and_what_its_environment_names(tmp_path: Path) -> None:
    assert rerun.problem(PROGRAM, {}, {}, "/tmp/checkout").startswith("its directory (/tmp/check")
    found = {"ANSIBLE_VAULT_PASSWORD_FILE": "/dev/fd/63"}
    assert rerun.problem(PROGRAM, {}, found, "/srv") == "its vault's password is not a file"
    assert rerun.problem(PROGRAM, {"inventory": ["hosts"]}, {}, "/run/x").startswith("its dir")


def test_the_options_that_decide_what_happens() -> None:
    options = {
        "args": ("site.yml",),
        "inventory": ["/srv/hosts.yml", "localhost,"],
        "extra_vars": ("a=b c", "@vars.yml"),
        "tags": ["install", "verify"],
        "skip_tags": ("mine", "build"),
        "become_method": "su",
        "subset": "localhost",
        "connection": "local",
        "become": True,
        "become_ask_pass": True,
        "vault_password_files": ["/root/secret"],
        "verbosity": 3,
        "diff": False,
    }
    assert rerun.argv("/opt/venv/bin/python3", PROGRAM, options) == [
        "/opt/venv/bin/python3",
        PROGRAM,
        *("--inventory", "/srv/hosts.yml", "--inventory", "localhost,"),
        *("--extra-vars", "a=b c", "--extra-vars", "@vars.yml"),
        *("--vault-password-file", "/root/secret"),
        *("--tags", "install,verify"),
        *("--skip-tags", "mine,build,dependencies,source,version,patch,config,publish"),
        *("--limit", "localhost", "--connection", "local", "--become-method", "su"),
        "--become",
        "site.yml",
    ]


def test_nothing_is_built_again() -> None:
    skipped = ["--skip-tags", ",".join(rerun.BUILD_TAGS)]
    found = rerun.argv("python3", "x", {"tags": ["all"], "args": ["y"]})
    assert found == ["python3", "x", *skipped, "y"]
    # The roles of build.yml, by the tags of its own.
    book = yaml.safe_load((ROOT / "playbooks/build.yml").read_text(encoding="utf-8"))
    (block,) = [task for play in book if "serial" in play for task in play["tasks"]]
    tags = [tag for task in block["block"] for tag in task["tags"] if tag != "always"]
    assert set(tags) == set(rerun.BUILD_TAGS)


def test_of_the_environment_what_the_run_needs() -> None:
    given = {
        "PATH": "/bin",
        "ANSIBLE_CONFIG": "/srv/ansible.cfg",
        "HTTPS_PROXY": "http://proxy",
        "LC_ALL": "C.UTF-8",
        "SSH_AUTH_SOCK": "/tmp/agent",
        "USER": "ada",
        "DISPLAY": ":0",
    }
    kept = ["ANSIBLE_CONFIG", "HTTPS_PROXY", "LC_ALL", "PATH"]
    assert list(rerun.environment(given)) == kept


def test_the_script_keeps_every_word_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "it's here"
    place.mkdir()
    words = ["python3", "-c", "import os, sys; print(os.environ, os.getcwd(), sys.argv[1:])"]
    text = rerun.script([*words, "a 'b' $HOME", "é"], place, {"PATH": "/usr/bin:/bin", "X": "a b"})
    done = subprocess.run(
        ["sh", "-c", text],
        env={"OTHER": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "OTHER" not in done.stdout
    for part in (
        "'PYTHONDONTWRITEBYTECODE': '1'",
        "'X': 'a b'",
        "it's here",
        "\"a 'b' $HOME\"",
        "é",
    ):
        assert part in done.stdout, done.stdout
