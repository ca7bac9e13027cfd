# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How git is called: nothing of a user, nothing that waits, nothing that is written."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import git as gits
from ansible_collections.oslab.kernel.plugins.module_utils._source.git_names import Address
from ansible_collections.oslab.kernel.tests.lib.git_repository import Repository, picture

GIT = shutil.which("git") or ""
pytestmark = pytest.mark.skipif(not GIT, reason="git is needed")
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = 65534


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "linux")


@pytest.fixture
def git(repository):
    with gits.private(GIT, Address(str(repository.path), "file", repository.path), 5) as made:
        yield made


def test_the_environment_is_ours(monkeypatch, git):
    for name in ("GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "GIT_TRACE", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, "1")
    found = gits.environment(Path("/h"), "https", os.environ)
    assert not {"GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "GIT_TRACE"} & set(found)
    assert found["GIT_TERMINAL_PROMPT"] == "0"
    assert found["GIT_CONFIG_NOSYSTEM"] == "1"
    assert found["GIT_CONFIG_GLOBAL"] == "/h/config"
    assert found["GIT_ALLOW_PROTOCOL"] == "https"
    assert (found["LC_ALL"], found["LANGUAGE"]) == ("C.UTF-8", "C")


def test_the_settings_are_read(git):
    listed = git.required(["config", "--list", "--show-origin"], 20).text
    assert {line.split("\t")[0].rpartition("/")[2] for line in listed.splitlines()} == {"config"}
    for setting in (
        "gc.auto=0",
        "core.hookspath=/dev/null",
        "credential.helper=",
        "safe.directory=*",
    ):
        assert f"\t{setting}\n" in listed


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {}'", "https://127.0.0.1:1/x"])
def test_no_other_protocol(git, tmp_path, url):
    answer = git.run(["ls-remote", "--", url.format(tmp_path / "made")], 20)
    assert answer.status != 0
    assert "not allowed" in answer.err
    assert not (tmp_path / "made").exists()


def test_it_ends_in_time(tmp_path):
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nsleep 600 &\nsleep 600\n")
    program.chmod(0o755)
    started = time.monotonic()
    with (
        gits.private(str(program), None, 5) as git,
        pytest.raises(gits.GitError, match="was ended"),
    ):
        git.run(["fetch"], 0.5)
    assert time.monotonic() - started < 60


def test_a_long_answer_is_refused(tmp_path):
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nhead -c 2000000 /dev/zero\n")
    program.chmod(0o755)
    with (
        gits.private(str(program), None, 5) as git,
        pytest.raises(gits.GitError, match="more than"),
    ):
        git.run(["cat-file"], 20)


def read(git, repository, commit):
    with git.archive(repository.path / ".git", commit, 60) as stream:
        data = stream.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive.getmembers()}, data


def test_an_archive(git, repository):
    members, data = read(git, repository, repository.first)
    assert set(members) == {"linux", "linux/Makefile"}
    assert members["linux/Makefile"].mtime == 1_700_000_060
    assert read(git, repository, repository.first)[1] == data


def test_an_archive_that_git_cannot_make(git, repository):
    message = "git archive failed: fatal: .*remove the directory 'git' in source_workdir"
    with (
        pytest.raises(gits.GitError, match=message),
        git.archive(repository.path, "a" * 40, 60) as out,
    ):
        out.read()
    # Also where the reader stumbles first, over a stream that ends too early.
    with (
        pytest.raises(gits.GitError, match=message),
        git.archive(repository.path, "a" * 40, 60) as out,
    ):
        raise ValueError(out.read())


def test_the_reader_may_refuse_the_rest_of_an_archive(git, repository):
    commit = repository.commit("more", large="x" * 4_000_000)
    with (
        pytest.raises(ValueError, match="enough"),
        git.archive(repository.path / ".git", commit, 60) as stream,
    ):
        stream.read(10)
        raise ValueError("enough")


def test_uncommitted_files_are_counted_and_nothing_is_written(git, repository):
    path = repository.path
    assert gits.uncommitted(git, path, os.geteuid(), 60) == 0
    (path / "Makefile").write_text("edited\n")
    (path / "new").write_text("")
    os.utime(path / ".git/index", (1, 1))  # `git status` would write it anew
    before = picture(path)
    assert gits.uncommitted(git, path, os.geteuid(), 60) == 2
    assert picture(path) == before


def test_what_git_cannot_count(git, repository, tmp_path):
    assert gits.uncommitted(git, tmp_path / "none", os.geteuid(), 60) is None
    assert gits.uncommitted(git, tmp_path, os.geteuid(), 60) is None
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(tmp_path / "bare"))
    assert gits.uncommitted(git, tmp_path / "bare", os.geteuid(), 60) == 0


def test_settings_of_the_repository_run_nothing(git, repository, tmp_path):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(program))
    repository.git("config", "core.hooksPath", str(tmp_path))
    repository.git("config", "uploadpack.packObjectsHook", str(program))
    assert gits.uncommitted(git, repository.path, os.geteuid(), 60) == 0
    git.required(["ls-remote", "--", str(repository.path)], 60)
    assert not (tmp_path / "ran").exists()


def test_whose_repository_it_is(repository, tmp_path):
    uid = os.geteuid()
    assert gits.as_owner(repository.path, uid) == []
    with pytest.raises(gits.GitError, match="cannot be read"):
        gits.as_owner(tmp_path / "none", uid)
    assert gits.as_owner(Path("/usr"), NOBODY) == []  # root's
    if uid:
        return
    os.chown(repository.path / ".git", NOBODY, NOBODY)
    with pytest.raises(gits.GitError, match="belongs to another user"):
        gits.as_owner(repository.path, 1)


@root
def test_the_repository_of_another_user_is_read_as_that_user():
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        repository = Repository(Path(name) / "linux")
        for place in (repository.path, *repository.path.rglob("*")):
            os.chown(place, NOBODY, NOBODY, follow_symlinks=False)
        before = gits.as_owner(repository.path, 0)
        assert before == ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        with gits.private(GIT, Address(name, "file", repository.path), 5) as git:
            assert gits.uncommitted(git, repository.path, 0, 60) == 0
            words = ["ls-remote", f"--upload-pack={' '.join(before)} git-upload-pack", "--"]
            listed = git.required([*words, str(repository.path)], 60).text
    assert repository.first in listed
