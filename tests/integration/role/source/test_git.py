# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role source with a git repository: which commit is built, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors
from ansible_collections.oslab.kernel.tests.lib.git_repository import Repository, picture
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    LOCAL,
    run_playbook,
    write_inventory,
)

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("git", "gpg", "gpgv")),
    reason="git, gpg and gpgv are needed",
)
TAGS = ("--tags", "source")


@pytest.fixture
def repository(keys, tmp_path):
    return Repository(tmp_path / "their/linux", keys, whole=True)


@pytest.fixture
def given(keys, repository, tmp_path):
    (tmp_path / "developer.asc").write_text(keys.public(mirrors.DEVELOPER))

    def variables(ref, **changes):
        return {
            "source_provider": "git",
            "source_version": "6.12",
            "source_git_url": str(repository.path),
            "source_git_ref": ref,
            "source_developer_keys": str(tmp_path / "developer.asc"),
            "source_developer_fingerprints": [keys.fingerprint(mirrors.DEVELOPER)],
            **changes,
        }

    return variables


def tree_of(tmp_path):
    return tmp_path / "work/trees/git-6.12/linux"


def state_of(tmp_path):
    return json.loads((tree_of(tmp_path) / ".oslab/source.json").read_text())


def words(run):
    return " ".join(run.output.replace("''", "'").split())


def test_a_signed_tag_and_then_no_repository(playbook, given, keys, repository, tmp_path):
    repository.tag("v6.12", mirrors.DEVELOPER)
    before = picture(repository.path)
    done = playbook("build.yml", *TAGS, "--diff", **given("v6.12"))
    assert done.status == 0, done.output
    assert done.recap("changed") == 2  # fetch, unpack
    state = state_of(tmp_path)
    assert state["commit"] == repository.first
    assert state["signed_by"] == keys.fingerprint(mirrors.DEVELOPER)
    assert (state["provider"], state["version"], state["tarball"]) == ("git", "6.12.0", "")
    assert state["source_date_epoch"] == 1_700_000_060
    assert not (tree_of(tmp_path) / ".git").exists()
    assert picture(repository.path) == before

    shutil.rmtree(repository.path / ".git/objects")  # nothing can be read of it any more
    assert playbook("build.yml", *TAGS, **given("v6.12")).recap("changed") == 0
    shutil.rmtree(tree_of(tmp_path))
    again = playbook("build.yml", *TAGS, **given("v6.12"))
    assert again.status == 0, again.output
    assert again.recap("changed") == 1
    assert state_of(tmp_path) == state


def test_a_commit_in_the_cache_needs_no_repository(playbook, given, repository, tmp_path):
    repository.commit("more", kernel__more="x")
    variables = given(repository.first, source_git_verify="none")
    done = playbook("build.yml", *TAGS, **variables)
    assert done.status == 0, done.output
    assert not (tree_of(tmp_path) / "kernel/more").exists()
    shutil.rmtree(repository.path / ".git/objects")
    assert playbook("build.yml", *TAGS, **variables).recap("changed") == 0


def test_a_branch_is_followed_and_fails_without_its_repository(
    playbook, given, repository, tmp_path
):
    variables = given("main", source_git_verify="none")
    assert playbook("build.yml", *TAGS, **variables).status == 0
    assert state_of(tmp_path)["commit"] == repository.first
    second = repository.commit("more", kernel__more="x")
    preview = playbook("build.yml", *TAGS, "--check", "--diff", **variables)
    assert preview.recap("changed") == 2
    assert state_of(tmp_path)["commit"] == repository.first
    assert playbook("build.yml", *TAGS, **variables).recap("changed") == 2
    assert (tree_of(tmp_path) / "kernel/more").exists()
    assert playbook("build.yml", *TAGS, **variables).recap("changed") == 0

    shutil.rmtree(repository.path / ".git")
    done = playbook("build.yml", *TAGS, **variables)
    assert done.status != 0
    assert f"The last commit that was fetched of it is {second}: set source_git_ref" in words(done)
    pinned = playbook("build.yml", *TAGS, **given(second, source_git_verify="none"))
    assert pinned.status == 0, pinned.output
    assert pinned.recap("changed") == 0


@pytest.mark.parametrize(
    ("signer", "message"),
    [
        (mirrors.STRANGER, "signed by a key that is not among the given ones"),
        ("", "the tag has no OpenPGP signature"),
    ],
)
def test_a_tag_without_a_good_signature(playbook, given, repository, tmp_path, signer, message):
    repository.tag("v6.12", signer)
    done = playbook("build.yml", *TAGS, **given("v6.12"))
    assert done.status != 0
    assert message in words(done)
    assert not (tmp_path / "work/trees").exists()


def test_what_is_not_committed_is_said_and_stays(playbook, given, repository, tmp_path):
    (repository.path / "kernel/fork.c").write_text("edited\n")
    (repository.path / "kernel/new.c").write_text("new\n")
    before = picture(repository.path)
    done = playbook("build.yml", *TAGS, **given("main", source_git_verify="none"))
    assert done.status == 0, done.output
    assert "(files: 2) is not in the build, which is of commit" in words(done)
    assert (tree_of(tmp_path) / "kernel/fork.c").read_text() != "edited\n"
    assert not (tree_of(tmp_path) / "kernel/new.c").exists()
    assert picture(repository.path) == before


def test_check_mode_on_an_untouched_machine(playbook, given, repository, tmp_path):
    repository.tag("v6.12", mirrors.DEVELOPER)
    before = picture(repository.path)
    preview = playbook("build.yml", *TAGS, "--check", "--diff", **given("v6.12"))
    assert preview.status == 0, preview.output
    assert preview.recap("changed") == 2  # fetch, unpack
    assert not (tmp_path / "work").exists()
    assert picture(repository.path) == before


@pytest.mark.parametrize(
    ("ref", "changes", "message"),
    [
        ("main", {}, "source_git_verify is tag, but source_git_ref 'main' is a branch"),
        ("v6.13", {}, "has no such tag or branch"),
        ("v6.12", {"source_git_url": "https://me:hunter2@x.example/l"}, "a name or a password"),
    ],
)
def test_refused_before_anything_is_done(playbook, given, tmp_path, ref, changes, message):
    done = playbook("build.yml", *TAGS, "-v", **given(ref, **changes))
    assert done.status != 0
    assert message in words(done)
    assert "hunter2" not in done.output
    assert not (tmp_path / "work").exists()


def test_the_role_alone_refuses_and_hides_a_password(tmp_path):
    """The playbooks check the variables before."""
    roles = [{"role": "oslab.kernel.source"}]
    play = {"hosts": "all", "gather_facts": False, "roles": roles}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    variables = {
        "source_provider": "git",
        "source_git_url": "https://me:hunter2@x.example/l",
        "source_git_ref": "v6.12",
        "source_workdir": str(tmp_path / "work"),
    }
    inventory = write_inventory(tmp_path / "hosts.json", all={"vars": {**LOCAL, **variables}})
    done = run_playbook(tmp_path / "play.yml", "-vvv", inventory=inventory)
    assert done.status != 0
    assert "source_git_url cannot be used: it holds a name or a password" in words(done)
    assert "hunter2" not in done.output


def test_another_version_is_refused(playbook, given, repository, tmp_path):
    repository.tag("v6.12", mirrors.DEVELOPER)
    done = playbook("build.yml", *TAGS, **given("v6.12", source_version="6.11"))
    assert done.status != 0
    assert "holds Linux 6.12.0, but source_version is 6.11: set source_version to '6.12'" in words(
        done
    )
    assert not list((tmp_path / "work/trees").rglob("Makefile"))


def test_each_commit_has_a_build_of_its_own(playbook, given, repository, tmp_path):
    """And the release says nothing of git, whatever LOCALVERSION_AUTO is."""
    config = tmp_path / "base.config"
    config.write_text("CONFIG_MODULES=y\nCONFIG_NET=y\n")
    ours = {"build_modules_source": "", "build_tools_source": "", "build_min_free_gib": 1}
    second = repository.commit("more", kernel__more="x")

    def built(commit):
        done = playbook(
            "build.yml",
            *("--tags", "source,version,patch,config,build"),
            **given(commit, source_git_verify="none"),
            config_base=str(config),
            config_options_extra={"LOCALVERSION_AUTO": "y"},
            **ours,
        )
        assert done.status == 0, done.output
        assert "CONFIG_LOCALVERSION_AUTO=y" in (tree_of(tmp_path) / ".config").read_text()
        found = (tmp_path / "work/store").glob("*/oslab-kernel.json")
        return {path.parent.name: json.loads(path.read_text()) for path in found}

    first = built(repository.first)
    both = built(second)
    assert {one["source"]["commit"] for one in first.values()} == {repository.first}
    assert {one["source"]["commit"] for one in both.values()} == {repository.first, second}
    assert {one["release"] for one in both.values()} == {"6.12.0-49-usac1"}
    assert built(repository.first) == both

    # In the work tree itself the same script does say it.
    settings = repository.path / "include/config"
    settings.mkdir(parents=True)
    for text, end in (("CONFIG_LOCALVERSION_AUTO=y\n", f"-g{second[:12]}"), ("", "+")):
        (settings / "auto.conf").write_text(text)
        said = subprocess.run(
            ["scripts/setlocalversion"],
            cwd=repository.path,
            env={"PATH": os.environ["PATH"], "KERNELVERSION": "6.12.0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert said == f"6.12.0{end}"
