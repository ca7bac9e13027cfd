# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that root makes for the user who builds, and those that are not given away."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import build_user
from ansible_collections.oslab.kernel.plugins.module_utils._source.build_user import BuildUser
from ansible_collections.oslab.kernel.plugins.module_utils._source.workdir import WorkdirError

NOBODY = pwd.getpwnam("nobody")
USER = BuildUser("nobody", NOBODY.pw_uid, NOBODY.pw_gid)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A directory of root's that everybody may enter, in one that only root may enter."""
    path = tmp_path / "top"
    path.mkdir()
    for place in (path, *path.parents):
        if place.stat().st_uid == 0 and "pytest" in str(place):
            place.chmod(0o755)
    return path


def owner(path: Path) -> int:
    return path.lstat().st_uid


def test_a_user() -> None:
    assert build_user.find("nobody") == USER
    nobody_yet = build_user.find("no-such-user")
    assert not nobody_yet.exists
    with pytest.raises(WorkdirError, match="build_user is root, which is root"):
        build_user.find("root")


def test_whose_process_it_is() -> None:
    build_user.check_acting(USER, USER.uid)
    with pytest.raises(WorkdirError, match="would run as the user root: remove ansible_become"):
        build_user.check_acting(USER, 0)


def test_what_is_missing_is_made_for_the_user_and_no_more(top: Path) -> None:
    work, tree = top / "a/work", top / "elsewhere/linux"
    missing = [work, tree.parent]
    assert build_user.reserve(USER, work, tree=tree, change=False) == missing
    assert list(top.iterdir()) == []
    assert build_user.reserve(USER, work, tree=tree) == missing
    assert [owner(path) for path in missing] == [USER.uid, USER.uid]
    assert [owner(path) for path in (top, top / "a")] == [0, 0]
    assert work.stat().st_mode & 0o7777 == 0o755
    assert build_user.reserve(USER, work, tree=tree) == []


def test_in_a_directory_of_the_users_root_makes_nothing(top: Path) -> None:
    os.chown(top, USER.uid, USER.gid)
    assert build_user.reserve(USER, top / "work") == [top / "work"]
    assert not (top / "work").exists()


@pytest.mark.parametrize("user", [USER, BuildUser("nobody-yet")])
def test_what_is_roots_is_not_given_away(top: Path, user: BuildUser) -> None:
    work = top / "work"
    (work / "trees").mkdir(parents=True)
    message = f"source_workdir {work} belongs to root, .*'chown -R {user.name}: {work}'"
    with pytest.raises(WorkdirError, match=message):
        build_user.reserve(user, work)
    assert owner(work) == owner(work / "trees") == 0


@pytest.mark.parametrize("name", ["trees/", "store/link", "downloads/linux.tar.xz"])
def test_nor_is_a_part_of_it(top: Path, name: str) -> None:
    work = top / "work"
    place = work / name
    place.parent.mkdir(parents=True)
    if name.endswith("/"):
        place.mkdir()
    elif name.endswith("link"):
        place.symlink_to("/etc")
    else:
        place.write_text("")
    os.chown(work, USER.uid, USER.gid)
    if place.parent != work:
        os.chown(place.parent, USER.uid, USER.gid)
    with pytest.raises(WorkdirError, match=f"{place} belongs to root, .*chown -R nobody: {work}"):
        build_user.reserve(USER, work)
    assert owner(place) == 0


def test_a_directory_that_the_user_cannot_enter(top: Path) -> None:
    top.chmod(0o700)
    with pytest.raises(WorkdirError, match=f"below {top}, which build_user nobody may not enter"):
        build_user.reserve(USER, top / "work")
    assert not (top / "work").exists()
    # The group's bits alone count for its members.
    os.chown(top, 0, USER.gid)
    top.chmod(0o701)
    with pytest.raises(WorkdirError, match="may not enter"):
        build_user.reserve(USER, top / "work")
    top.chmod(0o710)
    assert build_user.reserve(USER, top / "work") == [top / "work"]


def test_a_path_has_to_be_absolute() -> None:
    with pytest.raises(WorkdirError, match="not an absolute path"):
        build_user.reserve(USER, Path("work"))
