# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module where git is not installed yet, and what it returns and refuses."""

from __future__ import annotations

import shutil

import pytest
from ansible_collections.oslab.kernel.tests.lib import module_process
from ansible_collections.oslab.kernel.tests.lib.git_repository import Repository

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is needed")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "linux")


@pytest.fixture
def act(repository, tmp_path):
    def run(path="/usr/bin:/bin", check=False, **changes):
        given = {
            "url": str(repository.path),
            "ref": "main",
            "verify": "none",
            "directory": str(tmp_path / "git"),
            **changes,
        }
        return module_process.run("source_git", path, check, **given)

    return run


def test_without_git(act, tmp_path):
    nothing = str(tmp_path / "bin")
    assert "git is not installed: run the role dependencies" in act(nothing)["msg"]
    preview = act(nothing, check=True)
    assert (preview["changed"], preview["commit"]) == (True, "")
    assert act(nothing, state="offered")["changed"] is False
    assert "is no directory" in act(nothing, state="offered", url="/nowhere")["msg"]
    assert not (tmp_path / "git").exists()


def test_from_offered_to_fetched(act, repository, tmp_path):
    (repository.path / "new").write_text("")
    offered = act(state="offered")
    assert (offered["changed"], offered["commit"]) == (False, repository.first)
    preview = act(check=True)
    assert (preview["changed"], preview["commit"]) == (True, repository.first)
    assert not (tmp_path / "git").exists()
    first = act()
    assert (first["changed"], first["kind"], first["uncommitted"]) == (True, "branch", 1)
    assert "(files: 1) is not in the build" in str(first["warnings"])
    assert act()["changed"] is False
    assert act(check=True)["changed"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "ext::sh -c x"}, "source_git_url cannot be used"),
        ({"ref": "-x"}, "source_git_ref is '-x': it has to be a tag"),
        ({"verify": "tag", "ref": "a" * 40}, "source_git_verify is tag, but source_git_ref names"),
        ({"verify": "commit"}, "the commit has no OpenPGP signature"),
        ({"url": "/tmp"}, "source_git_url /tmp does not answer as a repository"),
    ],
)
def test_a_refusal(act, changes, message):
    answer = act(**changes)
    assert answer["failed"]
    assert message in answer["msg"]
