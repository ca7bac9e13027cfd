# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody else decides what is in the working directory."""

from __future__ import annotations

import os

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.workdir import WorkdirError

UID = os.geteuid()


@pytest.fixture
def work(tmp_path):
    path = tmp_path / "above" / "work"
    workdir.make(path)
    return path


def check(path):
    workdir.check(path, "source_workdir", UID)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_directories_have_their_mode_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        workdir.make(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o7777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [
        0o755,
        0o755,
    ]


def test_a_directory_of_ours_and_one_that_is_not_there_yet(work):
    check(work)
    check(work / "later" / "still")


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
def test_others_may_not_write_in_it(work, mode):
    work.chmod(mode)
    with pytest.raises(WorkdirError, match=f"mode {mode:04o}.*run 'chmod go-w {work}'"):
        check(work)


@pytest.mark.parametrize(("mode", "good"), [(0o777, False), (0o775, False), (0o1777, True)])
def test_nor_above_it_unless_it_is_sticky(work, mode, good):
    work.parent.chmod(mode)
    if good:
        check(work)
    else:
        with pytest.raises(WorkdirError, match=f"is below {work.parent}, which can be written"):
            check(work)


def test_what_a_link_leads_through_counts(work, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(work)
    check(link)
    work.parent.chmod(0o777)
    with pytest.raises(WorkdirError, match=f"chmod go-w {work.parent}'"):
        check(link)


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkdirError, match="is no directory"):
        check(tmp_path / "file")


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_somebody_elses_directory(work):
    os.chown(work, 4711, 4711)
    with pytest.raises(WorkdirError, match=r"the user number 4711.*\(chown -R\)"):
        check(work)
    os.chown(work, 0, 0)
    os.chown(work.parent, 4711, 4711)
    # Not -R: that may be somebody's home.
    with pytest.raises(WorkdirError, match=r"the user number 4711.*\(chown\)"):
        check(work)


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    "name",
    [
        "trees/linux/",
        "trees/linux/Makefile",
        "downloads/linux.tar.xz",
        "store/",
        "store/0123/build.json",
        "ccache/a/",
        "repository/gnupg/",
        "repository/nginx/nginx.conf",
        "trees/nginx/linux/body/",
        "store/link",
    ],
)
def test_whatever_somebody_else_owns_is_refused(work, name):
    place = work / name
    workdir.make(place.parent)
    if name.endswith("/"):
        place.mkdir()
    elif name.endswith("link"):
        place.symlink_to("/nowhere")
    else:
        place.write_text("")
    os.chown(place, 4711, 4711, follow_symlinks=False)
    message = f"{place} belongs to the user number 4711.*all of {work} to the user root .chown -R"
    for change in (False, True):
        with pytest.raises(WorkdirError, match=message):
            workdir.tighten(work, UID, change)


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_what_nginx_made_for_nobody_is_no_harm(work):
    temporary = work / "repository/nginx/body"
    workdir.make(temporary)
    (temporary / "1").write_text("")
    for place in (temporary, temporary / "1"):
        os.chown(place, 65534, 65534)
    workdir.tighten(work, UID)
    workdir.tighten(work / "repository", UID)


def test_tighten(work, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    (work / "link").symlink_to(outside)
    loose = {"d": 0o2777, "d/f": 0o666, "d/s": 0o4755, "d/\x1b[2J": 0o664}
    for name in loose:
        place = work / name
        if name == "d":
            place.mkdir()
        else:
            place.write_text("")
    (work / "fine").write_text("")
    (work / "fine").chmod(0o600)
    for name, mode in loose.items():
        (work / name).chmod(mode)
    linked = tmp_path / "linked"
    linked.symlink_to(work)

    predicted = workdir.tighten(linked, UID, change=False)
    assert predicted.count == 4
    assert (work / "d").stat().st_mode & 0o7777 == 0o2777
    found = workdir.tighten(linked, UID)
    assert (found.count, found.exposed) == (4, True)
    assert found.summary().isprintable()
    modes = [oct((work / name).stat().st_mode & 0o7777) for name in (*loose, "fine")]
    assert modes == ["0o2755", "0o644", "0o755", "0o644", "0o600"]
    assert outside.stat().st_mode & 0o777 == 0o777
    assert workdir.tighten(linked, UID).count == 0


def test_what_only_roots_group_could_write_to_was_not_exposed(work):
    (work / "f").write_text("")
    (work / "f").chmod(0o664)
    if (work / "f").stat().st_gid == 0:
        assert not workdir.tighten(work, UID).exposed


def test_nothing_is_there_yet(tmp_path):
    assert workdir.tighten(tmp_path / "work", UID).count == 0
    assert not (tmp_path / "work").exists()


# --- all of it, as the module does it ----------------------------------------------------------


def test_a_missing_directory_is_made_and_looked_at_again(tmp_path):
    place = tmp_path / "a" / "work"
    predicted = workdir.prepare(place, UID, change=False)
    assert predicted.made == [place]
    assert not place.parent.exists()
    assert workdir.prepare(place, UID).made == [place]
    assert place.stat().st_mode & 0o7777 == 0o755
    assert workdir.prepare(place, UID).made == []


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
@pytest.mark.parametrize("which", ["work", "trees"])
def test_somebody_else_makes_it_after_the_look(tmp_path, monkeypatch, which):
    tmp_path.chmod(0o1777)
    make = workdir.make

    def too_late(path):
        if path == tmp_path / which:
            path.mkdir()
            os.chown(path, 4711, 4711)
        make(path)

    monkeypatch.setattr(workdir, "make", too_late)
    with pytest.raises(WorkdirError, match=f"{tmp_path / which} belongs to the user number 4711"):
        workdir.prepare(tmp_path / "work", UID, tree=tmp_path / "trees" / "linux")


@pytest.fixture
def outside(tmp_path):
    """A tree that is not in the working directory, with a file that all can write to."""
    tree = tmp_path / "elsewhere" / "linux"
    workdir.make(tree / ".oslab")
    (tree / ".oslab" / "source.json").write_text('{"sha256": ""}')
    (tree / "Makefile").write_text("")
    (tree / "Makefile").chmod(0o666)
    return tree


def test_what_a_link_leads_to_is_not_opened(work, tmp_path, monkeypatch):
    """A user without rights could not: it is outside, as /etc/ssl/private for a build root."""
    (tmp_path / "private").mkdir()
    (work / "private").symlink_to(tmp_path / "private")
    opened = []
    real = os.open

    def note(path, *arguments, **more):
        opened.append(path)
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", note)
    workdir.tighten(work, UID)
    assert opened
    assert "private" not in opened


def test_a_tree_elsewhere_is_tightened_as_well(work, outside):
    predicted = workdir.prepare(work, UID, tree=outside, change=False)
    assert (predicted.count, predicted.exposed) == (1, True)
    assert workdir.prepare(work, UID, tree=outside).first == [str(outside / "Makefile")]
    assert (outside / "Makefile").stat().st_mode & 0o777 == 0o644
    assert workdir.prepare(work, UID, tree=outside).count == 0


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", [".", "Makefile"])
def test_a_tree_elsewhere_of_somebody_else_is_refused(work, outside, name):
    os.chown(outside / name, 4711, 4711)
    with pytest.raises(WorkdirError, match="belongs to the user number 4711"):
        workdir.prepare(work, UID, tree=outside)


def test_what_the_role_did_not_make_is_left_alone(work, outside):
    """It is refused later; /usr named by mistake keeps sudo's setuid bit."""
    (outside / ".oslab" / "source.json").unlink()
    assert workdir.prepare(work, UID, tree=outside).count == 0
    assert (outside / "Makefile").stat().st_mode & 0o777 == 0o666


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["gnupg", "gnupg/private-keys-v1.d"])
def test_one_more_directory_is_treated_the_same(work, tmp_path, name):
    place = tmp_path / name
    workdir.make(place)
    also = {"publish_gpg_home": tmp_path / "gnupg"}
    workdir.prepare(work, UID, name="publish_root", also=also)
    os.chown(place, 4711, 4711)
    with pytest.raises(WorkdirError, match=f"{place} belongs to the user number 4711"):
        workdir.prepare(work, UID, name="publish_root", also=also)


def test_programs_run_where_a_kernel_is_built(work, outside, monkeypatch):
    real = os.statvfs

    class Mounted:
        def __init__(self, flags):
            self.f_flag = flags

    def noexec(*places):
        flags = {place: os.ST_NOEXEC for place in places}
        monkeypatch.setattr(os, "statvfs", lambda path: Mounted(flags.get(path, 0)))

    noexec(work)
    with pytest.raises(WorkdirError, match=r"source_workdir .* is mounted noexec, .*remount,exec"):
        workdir.prepare(work, UID)
    # Nothing is run there.
    workdir.prepare(work, UID, name="publish_root")
    noexec(outside.parent)
    with pytest.raises(WorkdirError, match=r"the directory of source_tree .* is mounted noexec"):
        workdir.prepare(work, UID, tree=outside)
    # In a check run it may not be there yet.
    monkeypatch.setattr(os, "statvfs", real)
    workdir.prepare(work / "later", UID, change=False)


def test_trees_of_other_builders_are_theirs_to_look_at(work):
    own, other, store = (work / "trees/x-bob/linux", work / "trees/x/linux", work / "store")
    for place in (own, other, store):
        workdir.make(place)
        (place / "file").write_text("")
        (place / "file").chmod(0o666)
    found = workdir.prepare(work, UID, tree=own, change=False)
    assert (found.count, found.exposed) == (2, True)
    assert str(other) not in found.summary()
    # Without a tree of one builder, and for a tree in another place, all of it is looked at.
    assert workdir.prepare(work, UID, change=False).count == 3
    assert workdir.prepare(work, UID, tree=work / "linux", change=False).count == 3
