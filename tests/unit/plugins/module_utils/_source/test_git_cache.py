# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commit is fetched from a real repository, what is kept, and whose signature counts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import ClassVar

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import feed
from ansible_collections.oslab.kernel.plugins.module_utils._source import (
    git,
    git_cache,
    git_names,
    git_objects,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    Keys,
    SignatureError,
)
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors
from ansible_collections.oslab.kernel.tests.lib.git_repository import Repository, picture

GIT = shutil.which("git") or ""
pytestmark = pytest.mark.skipif(
    not (GIT and shutil.which("gpg") and shutil.which("gpgv")),
    reason="git, gpg and gpgv are needed",
)


@pytest.fixture
def repository(keys, tmp_path):
    return Repository(tmp_path / "linux", keys)


class Asked(git.Git):
    """What git is asked that goes to the repository."""

    remote: ClassVar[list[list[str]]] = []

    def run(self, words, seconds, before=()):
        if {"fetch", "ls-remote"} & set(words):
            self.remote.append(list(words))
        return super().run(words, seconds, before)


@pytest.fixture
def cache(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(git, "Git", Asked)
    monkeypatch.setattr(Asked, "remote", [])
    address = git_names.address(str(repository.path))
    limits = git_cache.Limits(60, 120)
    with git.private(GIT, address, 60) as program:
        yield git_cache.Cache(tmp_path / "git", address, program, feed, limits, os.geteuid())


@pytest.fixture
def wanted(keys):
    trusted = Keys(keys.public(mirrors.DEVELOPER), [keys.fingerprint(mirrors.DEVELOPER)])

    def make(ref, verify="none", keys=trusted):
        return git_cache.Wanted(git_names.ref(ref), verify, keys)

    return make


def inside(cache, *words):
    return subprocess.run(
        ["git", f"--git-dir={cache.path}", *words], capture_output=True, text=True, check=True
    ).stdout.split()


def references(cache):
    return sorted(inside(cache, "for-each-ref", "--format=%(refname)"))


def test_a_signed_tag(cache, wanted, repository, keys):
    repository.commit("more")
    repository.tag("v6.12", mirrors.DEVELOPER)
    commit = repository.git("rev-parse", "HEAD")
    before = picture(repository.path)
    found = cache.present(wanted("v6.12", "tag"))
    signer = keys.fingerprint(mirrors.DEVELOPER)
    assert found == git_cache.Found(commit, "tag", signer, cached=False)
    assert cache.cached(wanted("v6.12", "tag")) == git_cache.Found(commit, "tag", signer)
    assert references(cache) == [f"refs/oslab/commits/{commit}", "refs/oslab/tags/v6.12"]
    # Without its history.
    assert inside(cache, "rev-list", commit) == [commit]
    assert (cache.path / "info/attributes").read_text() == git.ATTRIBUTES
    assert picture(repository.path) == before


def test_what_was_fetched_needs_no_repository(cache, wanted, repository):
    repository.tag("v6.12", mirrors.DEVELOPER)
    cache.present(wanted("v6.12", "tag"))
    asked = len(Asked.remote)
    for ref in ("v6.12", "refs/tags/v6.12", repository.first):
        assert cache.present(wanted(ref)).cached
    assert len(Asked.remote) == asked
    assert cache.cached(wanted("refs/heads/v6.12")) is None


@pytest.mark.parametrize(
    ("signer", "message"),
    [
        (mirrors.STRANGER, "not among the given ones"),
        (mirrors.AUTOSIGNER, "which is not one of the pinned keys"),
        ("", "the tag has no OpenPGP signature"),
    ],
)
def test_a_tag_of_somebody_else_is_refused_and_not_kept(
    cache, wanted, repository, keys, signer, message
):
    repository.tag("v6.12", signer)
    given = Keys(
        keys.public(mirrors.DEVELOPER, mirrors.AUTOSIGNER), [keys.fingerprint(mirrors.DEVELOPER)]
    )
    for _run in range(2):
        with pytest.raises(SignatureError, match=message):
            cache.present(wanted("v6.12", "tag", given))
        assert references(cache) == []
    # The developers sign it after all: nothing of before is in the way.
    repository.tag("v6.12", mirrors.DEVELOPER)
    assert cache.present(wanted("v6.12", "tag", given)).signed_by


def test_no_key_at_all(cache, wanted, repository):
    repository.tag("v6.12", mirrors.DEVELOPER)
    with pytest.raises(SignatureError, match="source_developer_keys has no key"):
        cache.present(wanted("v6.12", "tag", Keys("", [])))


def test_an_old_tag_under_a_new_name(cache, wanted, repository):
    old = repository.tag("v6.11", mirrors.DEVELOPER)
    repository.git("update-ref", "refs/tags/v6.12", old)
    with pytest.raises(SignatureError, match=r"was signed as 'v6\.11'"):
        cache.present(wanted("v6.12", "tag"))


def forged(repository, change):
    """A tag whose text is another than the one that was signed."""
    repository.tag("v6.12", mirrors.DEVELOPER)
    text = repository.git("cat-file", "tag", "v6.12")
    made = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--stdin", "--literally"],
        cwd=repository.path,
        input=change(text) + "\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    repository.git("update-ref", "refs/tags/v6.12", made)


def test_a_signature_of_another_commit(cache, wanted, repository):
    second = repository.commit("evil", evil="x")
    repository.git("reset", "--quiet", "--hard", repository.first)
    forged(repository, lambda text: text.replace(repository.first, second))
    with pytest.raises(SignatureError, match="the signature is not of these contents"):
        cache.present(wanted("v6.12", "tag"))


def test_a_tag_of_no_commit(cache, wanted, repository):
    tree = repository.git("rev-parse", "HEAD^{tree}")
    repository.tag("v6.12", mirrors.DEVELOPER, of=tree)
    with pytest.raises(git.GitError, match="names no commit"):
        cache.present(wanted("v6.12"))
    with pytest.raises(SignatureError, match="is of no commit"):
        cache.present(wanted("v6.12", "tag"))


def test_a_tag_without_text(cache, wanted, repository):
    repository.tag("v6.12", annotated=False)
    with pytest.raises(git.GitError, match="has no signature: name a signed tag"):
        cache.present(wanted("v6.12", "tag"))
    assert cache.present(wanted("v6.12")).commit == repository.first
    # It is in the cache now, and is still no signed one.
    with pytest.raises(git.GitError, match="has no signature: name a signed tag"):
        cache.present(wanted("v6.12", "tag"))


def test_a_signed_commit(cache, wanted, repository, keys):
    commit = repository.commit("signed", mirrors.DEVELOPER)
    found = cache.present(wanted("main", "commit"))
    signer = keys.fingerprint(mirrors.DEVELOPER)
    assert found == git_cache.Found(commit, "branch", signer, cached=False)
    for signed_by in (mirrors.STRANGER, ""):
        repository.commit("another", signed_by)
        with pytest.raises(SignatureError, match=r"the commit [0-9a-f]{40} of .* is refused"):
            cache.present(wanted("main", "commit"))
    assert cache.present(wanted(commit, "commit")).cached


def test_a_commit_that_was_taken_without_a_signature(cache, wanted, repository):
    assert cache.present(wanted(repository.first)).commit == repository.first
    with pytest.raises(SignatureError, match="the commit has no OpenPGP signature"):
        cache.present(wanted(repository.first, "commit"))


def test_a_branch_is_looked_up_each_time(cache, wanted, repository):
    assert not cache.present(wanted("main")).cached
    assert cache.offered(wanted("main")).cached
    assert cache.present(wanted("main")).cached
    second = repository.commit("more")
    assert cache.offered(wanted("main")) == git_cache.Found(second, "branch", cached=False)
    assert cache.present(wanted("main")).commit == second
    shutil.rmtree(repository.path / ".git")
    (repository.path / ".git").mkdir()
    for act in (cache.present, cache.offered):
        with pytest.raises(git.GitError, match=f"fetched of it is {second}: set source_git_ref"):
            act(wanted("main"))
    assert cache.present(wanted(second)).cached


def test_a_tag_comes_before_a_branch(cache, wanted, repository):
    repository.tag("both")
    repository.git("branch", "both")
    repository.git("checkout", "--quiet", "refs/heads/both")
    second = repository.commit("more")
    repository.git("branch", "--force", "both", second)
    assert cache.present(wanted("both")).commit == repository.first
    assert cache.present(wanted("refs/heads/both")).commit == second


@pytest.mark.parametrize(
    ("ref", "verify", "message"),
    [
        ("nothing", "none", "has no such tag or branch"),
        ("refs/tags/main", "none", "has no such tag"),
        ("main", "tag", "source_git_ref 'main' is a branch"),
        ("light", "tag", r"the tag 'light' of .* has no signature"),
    ],
)
def test_what_the_repository_does_not_have(cache, wanted, repository, ref, verify, message):
    repository.tag("light", annotated=False)
    for act in (cache.offered, cache.present):
        with pytest.raises(git.GitError, match=message):
            act(wanted(ref, verify))
    assert not cache.path.exists()


def test_a_commit_that_the_repository_does_not_have(cache, wanted):
    cache.offered(wanted("a" * 40))  # nobody can say that before a fetch
    with pytest.raises(git.GitError, match=r"no branch and no tag of .* has such a commit"):
        cache.present(wanted("a" * 40))


def test_a_server_that_gives_no_single_commits(cache, wanted, repository, monkeypatch):
    """As those that speak an older protocol: all is fetched."""
    monkeypatch.setattr(git, "_SETTINGS", git._SETTINGS.replace("version = 2", "version = 0"))
    repository.commit("more")
    address = git_names.address(str(repository.path))
    with git.private(GIT, address, 60) as program:
        limits = git_cache.Limits(60, 120)
        old = git_cache.Cache(cache.path.parent, address, program, feed, limits, os.geteuid())
        assert old.present(wanted(repository.first)).commit == repository.first
        assert old.present(wanted(repository.first)).cached
    fetches = [words for words in Asked.remote if "fetch" in words]
    assert ["--depth=1" in words for words in fetches] == [True, False]


@pytest.fixture
def server(repository):
    """Port of a server of the protocol git on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["git", "-c", "safe.directory=*", "daemon", *words, f"--base-path={repository.path}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


def test_by_the_network_and_then_without_it(cache, wanted, repository, server):
    repository.commit("more")
    repository.tag("v6.12", mirrors.DEVELOPER)
    address = git_names.address(f"git://127.0.0.1:{server}/.git")
    with git.private(GIT, address, 60) as program:
        limits = git_cache.Limits(60, 120)
        other = git_cache.Cache(cache.path.parent, address, program, feed, limits, os.geteuid())
        found = other.present(wanted("v6.12", "tag"))
        assert (found.cached, bool(found.signed_by)) == (False, True)
        assert other.offered(wanted("main")).commit == found.commit
        with pytest.raises(git.GitError, match="has no such tag or branch"):
            other.present(wanted("v6.13"))
    gone = git_names.address("git://127.0.0.1:9/.git")
    with git.private(GIT, gone, 60) as program:
        other = git_cache.Cache(cache.path.parent, gone, program, feed, limits, os.geteuid())
        with pytest.raises(git.GitError, match=r"does not answer as a repository: .*refused"):
            other.offered(wanted("v6.12"))


def test_a_repository_without_its_history(cache, wanted, repository, keys, tmp_path):
    repository.commit("more")
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(shallow))
    address = git_names.address(str(shallow))
    with git.private(GIT, address, 60) as program:
        limits = git_cache.Limits(60, 120)
        other = git_cache.Cache(cache.path.parent, address, program, feed, limits, os.geteuid())
        assert other.path != cache.path
        assert other.present(wanted("main")).commit == repository.git("rev-parse", "HEAD")


def test_attributes_change_no_file(cache, wanted, repository):
    """Otherwise the files of a commit would depend on more than the commit."""
    attributes = (
        "*.c text eol=crlf ident\nhidden export-ignore\nversion export-subst\n* filter=lfs\n"
    )
    text = "$Format:%H%d$ $Id$\n"
    commit = repository.commit(
        "attributes", **{".gitattributes": attributes, "a.c": text, "hidden": text, "version": text}
    )
    cache.present(wanted("main"))
    with cache._git.archive(cache.path, commit, 60) as stream:
        data = stream.read()
    assert data.count(text.encode()) == 3
    assert b"\r\n" not in data


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_repository_of_another_user(wanted, tmp_path):
    """Read as that user, it is fetched, and nothing of it changes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        repository = Repository(Path(name) / "linux")
        (repository.path / "Makefile").write_text("edited")
        for place in (repository.path, *repository.path.rglob("*")):
            os.chown(place, 65534, 65534, follow_symlinks=False)
        before = picture(repository.path)
        address = git_names.address(str(repository.path))
        limits = git_cache.Limits(60, 120)
        with git.private(GIT, address, 60) as program:
            cache = git_cache.Cache(tmp_path / "git", address, program, feed, limits, 0)
            assert cache.present(wanted("main")).commit == repository.first
            assert git.uncommitted(program, repository.path, 0, 60) == 1
        assert picture(repository.path) == before


def test_another_run_that_fetches(cache, wanted, monkeypatch):
    monkeypatch.setattr(cache, "_limits", git_cache.Limits(60, 0))
    cache.path.parent.mkdir()
    with (
        git_cache.lock.held(cache.path.with_suffix(".lock"), 0, "tests"),
        pytest.raises(git.GitError, match=r"another run fetches from .*: process"),
    ):
        cache.present(wanted("main"))
    assert cache.cached(wanted("main")) is None


def test_a_repository_that_answers_nonsense(cache, wanted, monkeypatch):
    def references(text):
        raise git_objects.ObjectError("nonsense")

    monkeypatch.setattr(git_objects, "references", references)
    with pytest.raises(git.GitError, match="nonsense"):
        cache.present(wanted("main"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/x/linux.git", "linux-"),
        ("https://a.example/x/linux.git/", "linux-"),
        ("/x/my linux", "mylinux-"),
        ("https://a.example/..", "repository-"),
    ],
)
def test_the_name_of_a_cache(tmp_path, url, name):
    found = git_cache.directory_of(tmp_path, git_names.address(url))
    assert found.parent == tmp_path
    assert found.name.startswith(name)
    assert found.suffix == ".git"


@pytest.mark.parametrize(
    ("url", "ref", "verify", "warned"),
    [
        ("https://a.example/x", "main", "none", True),
        ("https://a.example/x", "a" * 40, "none", False),
        ("https://a.example/x", "v6.12", "tag", False),
        ("/x", "main", "none", False),
    ],
)
def test_who_trusts_a_server_is_warned(wanted, url, ref, verify, warned):
    note = git_cache.unverified_note(wanted(ref, verify), git_names.address(url))
    assert bool(note) == warned
