# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the repository's key on the builder: private, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

BUILD = {"release": "r", "version": "v", "build_id": "b", "store": "/s", "packages": {"p": {}}}


@pytest.fixture
def key_file(repository, short_path):
    return repository.key.secret(short_path / "secret.asc")


@pytest.fixture
def bring(playbook, key_file, short_path, tmp_path):
    """The role, as far as the key."""
    book = tmp_path / "play.json"
    parts = [
        {
            "ansible.builtin.include_role": {
                "name": "oslab.kernel.publish",
                "tasks_from": part,
            }
        }
        for part in ("preflight", "repository/key.yml")
    ]
    book.write_text(json.dumps([{"hosts": "builder", "gather_facts": False, "tasks": parts}]))
    root = short_path / "role"

    def run(*options):
        # Nothing is served: the directory is private.
        variables = {"publish_root": str(root), "publish_build": BUILD, "publish_server": "none"}
        return playbook(str(book), *options, publish_gpg_key_file=str(key_file), **variables)

    yield run
    subprocess.run(["gpgconf", "--homedir", str(root / "gnupg"), "--kill", "all"], check=False)


def refused(run, root):
    assert run.status != 0, run.output
    assert not root.exists()
    return " ".join(run.output.split())


def test_a_file_that_others_can_read_is_refused(bring, key_file, short_path):
    key_file.chmod(0o644)
    message = refused(bring(), short_path / "role")
    assert f"publish_gpg_key_file: {key_file} on builder holds a private key" in message
    assert "has the mode 0644" in message
    assert f"chmod 0600 {key_file}" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_a_file_of_somebody_else_is_refused(bring, key_file, short_path):
    os.chown(key_file, 12345, -1)
    assert "belongs to the user with the ID 12345" in refused(bring(), short_path / "role")


def test_a_file_that_is_not_there(bring, key_file, short_path):
    key_file.unlink()
    message = refused(bring(), short_path / "role")
    assert f"publish_gpg_key_file is {key_file}, and builder has no such file" in message


def test_nothing_that_ansible_says_or_sends_holds_the_key(
    bring, key_file, short_path, tmp_path, monkeypatch
):
    remote = tmp_path / "remote"
    monkeypatch.setenv("ANSIBLE_REMOTE_TEMP", str(remote))
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    monkeypatch.setenv("ANSIBLE_DEBUG", "1")
    run = bring("-vvvvv", "--diff")
    assert run.status == 0, run.output[-3000:]
    secrets = [line.encode() for line in key_file.read_text().splitlines() if len(line) > 30]
    sent = [path for path in remote.rglob("*") if path.is_file()]
    assert secrets
    assert sent
    for secret in secrets:
        assert secret not in run.output.encode()
        assert not [path for path in sent if secret in path.read_bytes()]
    home = short_path / "role" / "gnupg"
    for path in (home, *(home / "private-keys-v1.d").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
