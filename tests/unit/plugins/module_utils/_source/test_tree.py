# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree is there whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_makefile
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import feed
from ansible_collections.oslab.kernel.plugins.module_utils._source import tree as trees

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 8\nSUBLEVEL = 0\nEXTRAVERSION =\n"


@pytest.fixture
def tarball(tmp_path):
    def make(name="linux-6.8", makefile=MAKEFILE, extra=""):
        top = tmp_path / "made" / name
        top.mkdir(parents=True, exist_ok=True)
        (top / "Makefile").write_text(makefile)
        (top / "extra").write_text(extra)
        path = tmp_path / f"{name}{extra}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(top, name)
        return path

    return make


def unpack(tarball, tree, version="6.8", sha256="", feed=feed):
    return trees.unpack(
        tarball, tree, feed, sha256=sha256, version=version, provider="file", max_size=1 << 20
    )


def test_unpack_once(tarball, tmp_path):
    tree, archive = tmp_path / "trees" / "linux", tarball()
    first = unpack(archive, tree)
    assert first.changed
    assert first.state["version"] == "6.8.0"
    assert json.loads((tree / ".oslab/source.json").read_text()) == first.state
    (tree / "Makefile").write_text("edited")
    again = unpack(archive, tree)
    assert not again.changed
    assert (tree / "Makefile").read_text() == "edited"
    assert [path.name for path in tree.parent.iterdir()] == ["linux"]


def test_another_tarball_replaces_the_tree(tarball, tmp_path):
    tree = tmp_path / "trees" / "linux"
    unpack(tarball(), tree)
    (tree / "old").write_text("")
    assert unpack(tarball(extra="new"), tree).changed
    assert not (tree / "old").exists()
    assert [path.name for path in tree.parent.iterdir()] == ["linux"]


def test_somebody_elses_directory_is_left_alone(tarball, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("")
    with pytest.raises(trees.TreeError, match=r"source_tree .*was not made by this role"):
        unpack(tarball(), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"makefile": "all:\n"}, "not a kernel's source"),
        ({"makefile": MAKEFILE.replace("8", "9")}, r"holds Linux 6\.9\.0"),
    ],
)
def test_wrong_contents_leave_nothing(tarball, tmp_path, arguments, message):
    tree = tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match=message):
        unpack(tarball(**arguments), tree)
    assert list(tree.parent.iterdir()) == []


def test_a_tarball_cannot_say_what_the_roles_did_to_its_tree(tarball, tmp_path):
    tree, archive = tmp_path / "trees" / "linux", tarball()
    (tmp_path / "made/linux-6.8/.oslab").mkdir()
    (tmp_path / "made/linux-6.8/.oslab/patch.json").write_text('{"created": ["../../x"]}')
    with pytest.raises(trees.TreeError, match=r"brings a \.oslab"):
        unpack(tarball(), tree)
    assert list(tree.parent.iterdir()) == []
    assert archive.exists()


def test_truncated_tarball_keeps_the_old_tree(tarball, tmp_path):
    tree = tmp_path / "trees" / "linux"
    unpack(tarball(), tree)
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(tarball(extra="x").read_bytes()[:60])
    with pytest.raises(trees.TreeError, match="is not unpacked: the compressed file ends"):
        unpack(broken, tree)
    assert (tree / "Makefile").read_text() == MAKEFILE
    assert [path.name for path in tree.parent.iterdir()] == ["linux"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "linux-6.8/../../evil"}, "leads out"),
        ({"name": "/tmp/oslab-evil"}, "leads out"),
        ({"name": "linux-6.8/out", "type": tarfile.SYMTYPE, "linkname": "../.."}, "leads out"),
        ({"name": "linux-6.8/null", "type": tarfile.CHRTYPE}, "character device"),
        ({"name": "linux-6.8/zeros", "size": 2 << 20}, "unpacks to more than 1048576 bytes"),
    ],
)
def test_a_hostile_tarball_leaves_nothing(tarball, tmp_path, changes, message):
    path = tarball()
    with tarfile.open(path) as old, tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as new:
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        member = tarfile.TarInfo()
        for name, value in changes.items():
            setattr(member, name, value)
        new.addfile(member, io.BytesIO(bytes(member.size)))
    tree = tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match=message):
        unpack(tmp_path / "evil.tar.gz", tree)
    assert list(tree.parent.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_versions():
    assert trees.version_matches("6.12.117", "6.12")
    assert trees.version_matches("6.8.0", "6.8")
    assert trees.version_matches("6.13.0", "6.13-rc2")
    assert not trees.version_matches("6.12.117", "6.1")
    assert not trees.version_matches("6.12.117", "6.12.11")


def members(tmp_path, *extra, name="loose.tar.gz"):
    """A tarball of a kernel with further members, each (name, changes)."""
    path = tmp_path / name
    with tarfile.open(path, "w:gz") as archive:
        for member_name, changes in (("linux-6.8/Makefile", {}), *extra):
            member = tarfile.TarInfo(member_name)
            content = MAKEFILE.encode() if member_name.endswith("Makefile") else b""
            member.size = len(content)
            for key, value in changes.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_tarball_of_another_checksum_is_refused_and_the_good_tree_stays(tarball, tmp_path):
    tree, good, wrong = tmp_path / "trees" / "linux", tarball(), tarball(extra="x")
    unpack(good, tree)
    with pytest.raises(trees.TreeError, match=f"sha256 {digest(wrong)}, not {digest(good)}"):
        unpack(wrong, tree, sha256=digest(good))
    assert json.loads((tree / ".oslab/source.json").read_text())["sha256"] == digest(good)
    assert (tree / "extra").read_text() == ""
    assert [path.name for path in tree.parent.iterdir()] == ["linux"]


def test_a_checksum_in_capitals_is_the_same(tarball, tmp_path):
    good = tarball()
    unpacked = unpack(good, tmp_path / "trees" / "linux", sha256=digest(good).upper())
    assert unpacked.state["sha256"] == digest(good)


@pytest.mark.parametrize("swap", ["renamed", "overwritten"])
@pytest.mark.parametrize("pinned", [True, False])
def test_what_is_recorded_is_what_was_unpacked(tarball, tmp_path, swap, pinned):
    tree, good, evil = tmp_path / "trees" / "linux", tarball(), tarball(extra="evil")
    sha256 = digest(good)

    def swapping(argv, chunks):
        if swap == "renamed":
            shutil.copy(evil, tmp_path / "new")
            (tmp_path / "new").replace(good)
        else:
            good.write_bytes(evil.read_bytes())
        return feed(argv, chunks)

    try:
        state = unpack(good, tree, sha256=sha256 if pinned else "", feed=swapping).state
    except trees.TreeError as error:
        assert "changed while it was read" in str(error)
        assert list(tree.parent.iterdir()) == []
    else:
        assert (state["sha256"], (tree / "extra").read_text()) == (sha256, "")


def test_a_tree_that_a_killed_run_had_moved_away_comes_back(tarball, tmp_path):
    tree = tmp_path / "trees" / "linux"
    unpack(tarball(), tree)
    scratch = tree.parent / ".unpacking-killed"
    scratch.mkdir()
    tree.replace(scratch / ".old")
    with pytest.raises(trees.TreeError, match="source_sha256"):
        unpack(tarball(extra="x"), tree, sha256="0" * 64)
    assert (tree / "Makefile").read_text() == MAKEFILE


def test_a_checksum_that_is_none(tarball, tmp_path):
    with pytest.raises(trees.TreeError, match=r"not 123 \(source_sha256"):
        unpack(tarball(), tmp_path / "trees" / "linux", sha256="123")


COMMIT = "a" * 40


@pytest.fixture
def commit(tarball, tmp_path):
    """Unpack a commit, whose archive is that of a tarball without compression."""

    @contextmanager
    def archive(path):
        with gzip.open(path) as stream:
            yield stream

    def make(made, name=COMMIT, version="6.8", sha256="", signed_by=""):
        return trees.unpack_commit(
            name,
            lambda: archive(made),
            tmp_path / "trees/linux",
            feed,
            sha256=sha256,
            version=version,
            provider="git",
            signed_by=signed_by,
            max_size=1 << 20,
        )

    return make


def test_a_commit_is_unpacked_once(tarball, commit, tmp_path):
    tree = tmp_path / "trees/linux"
    made = tarball()
    first = commit(made)
    assert first.changed
    assert first.state["commit"] == COMMIT
    with gzip.open(made) as stream:
        assert first.state["sha256"] == hashlib.sha256(stream.read()).hexdigest()
    (tree / "Makefile").write_text("edited")
    assert not commit(tarball(extra="not read")).changed
    # Another signer changes the record alone.
    again = commit(tarball(extra="not read"), signed_by="B" * 40)
    assert again.changed
    assert json.loads((tree / ".oslab/source.json").read_text())["signed_by"] == "B" * 40
    assert (tree / "Makefile").read_text() == "edited"
    assert commit(tarball(extra="new"), "b" * 40).changed
    assert (tree / "extra").read_text() == "new"


def test_a_commit_with_a_pinned_checksum(tarball, commit, tmp_path):
    sha256 = commit(tarball()).state["sha256"]
    assert not commit(tarball(), sha256=sha256.upper()).changed
    with pytest.raises(trees.TreeError, match=r"not 0{64} \(source_sha256, or"):
        commit(tarball(), sha256="0" * 64)
    assert (tmp_path / "trees/linux/Makefile").read_text() == MAKEFILE
    assert [path.name for path in (tmp_path / "trees").iterdir()] == ["linux"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "6.9"}, r"source_version to '6\.8', or choose another source_git_ref"),
        ({"version": "6.8.1"}, r"holds Linux 6\.8\.0, but source_version is 6\.8\.1"),
    ],
)
def test_a_commit_of_another_version(tarball, commit, tmp_path, changes, message):
    with pytest.raises(trees.TreeError, match=message):
        commit(tarball(), **changes)
    assert list((tmp_path / "trees").iterdir()) == []


def test_a_commit_cannot_bring_a_git_directory(tarball, commit, tmp_path):
    made = tmp_path / "made/linux-6.8/.git"
    made.mkdir(parents=True)
    with pytest.raises(trees.TreeError, match=r"brings a \.git"):
        commit(tarball())
    assert list((tmp_path / "trees").iterdir()) == []


def test_an_archive_that_ends_too_early(tarball, commit, tmp_path):
    broken = tmp_path / "broken.gz"
    with gzip.open(tarball()) as stream:
        broken.write_bytes(gzip.compress(stream.read()[:1500]))
    with pytest.raises(trees.TreeError, match=r"the commit a{40} of source_git_ref"):
        commit(broken)
    assert list((tmp_path / "trees").iterdir()) == []


MD5SUMS = """0cc175b9c0f1b6a831c399e269772661  usr/share/doc/linux-source-6.8/copyright
92eb5ffee6ae2fec3ad71c777531578f  usr/src/linux-source-6.8/linux-source-6.8.tar.bz2
"""


def test_the_tarball_of_a_package_is_the_one_that_dpkg_lists():
    found = trees.of_package(MD5SUMS, "linux-source-6.8")
    path = Path("/usr/src/linux-source-6.8/linux-source-6.8.tar.bz2")
    assert found == (path, "92eb5ffee6ae2fec3ad71c777531578f")
    with pytest.raises(trees.TreeError, match=r"holds no file linux-source-6\.1\.tar"):
        trees.of_package(MD5SUMS, "linux-source-6.1")


def test_a_tarball_that_is_not_the_packages_is_refused(tarball, tmp_path):
    path, tree = tarball(), tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match=r"has the md5 .*--reinstall"):
        trees.unpack(
            path, tree, feed, sha256="", md5="0" * 32, version="6.8", provider="distro_package"
        )
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert trees.unpack(
        path, tree, feed, sha256="", md5=md5, version="6.8", provider="distro_package"
    ).changed


LOOSE = (
    ("linux-6.8", {"type": tarfile.DIRTYPE, "mode": 0o7777}),
    ("linux-6.8/Makefile", {"mode": 0o666}),
    ("linux-6.8/closed", {"type": tarfile.DIRTYPE, "mode": 0o700}),
    ("linux-6.8/closed/script", {"mode": 0o4770}),
    ("linux-6.8/closed/secret", {"mode": 0o000, "uid": 4711, "gid": 4711, "uname": "nobody"}),
    ("linux-6.8/link", {"type": tarfile.SYMTYPE, "linkname": "Makefile", "mode": 0o777}),
)


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_the_modes_are_ours_whatever_umask_and_tarball_say(tmp_path, umask):
    before = os.umask(umask)
    try:
        tree = tmp_path / "work" / "trees" / "linux"
        unpack(members(tmp_path, *LOOSE), tree)
    finally:
        os.umask(before)
    places = [tmp_path / "work", *(tmp_path / "work").rglob("*")]
    found = {
        path.relative_to(tmp_path).as_posix(): oct(path.stat().st_mode & 0o7777) for path in places
    }
    top = "work/trees/linux"
    assert found == {
        **dict.fromkeys(("work", "work/trees", top, f"{top}/closed", f"{top}/.oslab"), "0o755"),
        **dict.fromkeys(
            (f"{top}/Makefile", f"{top}/link", f"{top}/closed/secret", f"{top}/.oslab/source.json"),
            "0o644",
        ),
        f"{top}/closed/script": "0o755",
    }
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in places} == {
        (os.geteuid(), os.getegid())
    }


@pytest.mark.parametrize("spelled", ["linux-6.8/up", "./linux-6.8/up", "linux-6.8//up"])
def test_no_second_name_of_a_link_leads_out(tmp_path, spelled):
    path = members(
        tmp_path,
        ("linux-6.8/a/b/up", {"type": tarfile.SYMTYPE, "linkname": "../.."}),
        (spelled, {"type": tarfile.LNKTYPE, "linkname": "linux-6.8/a/b/up"}),
    )
    tree = tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match="link"):
        unpack(path, tree)
    assert list(tree.parent.iterdir()) == []


def test_options_of_the_users_tar_do_not_count(tarball, tmp_path, monkeypatch):
    monkeypatch.setenv("TAR_OPTIONS", "--exclude=extra")
    tree = tmp_path / "trees" / "linux"
    unpack(tarball(), tree)
    assert (tree / "extra").exists()


def test_a_makefile_that_is_no_text(tmp_path):
    path = tmp_path / "binary.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("linux-6.8/Makefile")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"\xff\xfe"))
    with pytest.raises(trees.TreeError, match="not a kernel's source"):
        unpack(path, tmp_path / "trees" / "linux")


def test_names_in_messages_cannot_speak_to_the_terminal(tmp_path):
    path = tmp_path / "talking.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("\x1b[2Jall is well" + "x" * 180))
    with pytest.raises(trees.TreeError, match="is not a kernel's source") as caught:
        unpack(path, tmp_path / "trees" / "linux")
    assert str(caught.value).isprintable()


CANDIDATE = MAKEFILE.replace("EXTRAVERSION =", "EXTRAVERSION = -rc3")
STABLE = MAKEFILE.replace("SUBLEVEL = 0", "SUBLEVEL = 12")


@pytest.mark.parametrize(
    ("name", "makefile", "version", "message"),
    [
        ("linux-6.8", MAKEFILE, "6.8.0", ""),
        ("linux-6.8-rc3", CANDIDATE, "6.8-rc3", ""),
        ("linux-6.8-rc3", CANDIDATE, "6.8-rc2", "set source_version to '6.8-rc3',"),
        ("linux-6.8-rc3", CANDIDATE, "6.8", "set source_version to '6.8-rc3',"),
        ("linux-6.8", MAKEFILE, "6.8-rc3", "set source_version to '6.8',"),
        ("linux-source-6.8.0", STABLE, "6.8", ""),
        ("linux-source-6.8.0", STABLE, "6.8.0", ""),
        ("linux-source-6.8.0", STABLE, "6.8.12", ""),
        ("linux-source-6.8.0", STABLE, "6.8.1", "set source_version to '6.8' or '6.8.12',"),
        ("linux-source-6.8", STABLE, "6.8.0", "set source_version to '6.8' or '6.8.12',"),
    ],
)
def test_the_version_of_a_tree(tarball, tmp_path, name, makefile, version, message):
    tree, archive = tmp_path / "trees" / "linux", tarball(name, makefile)
    if message:
        with pytest.raises(trees.TreeError, match=message):
            unpack(archive, tree, version)
    else:
        state = unpack(archive, tree, version).state
        assert state["version"] == kernel_makefile.version(makefile).upstream
        assert not unpack(archive, tree, version).changed


def test_a_tree_that_is_there_is_of_the_wanted_version_too(tarball, tmp_path):
    tree, archive = tmp_path / "trees" / "linux", tarball()
    unpack(archive, tree)
    with pytest.raises(trees.TreeError, match=r"source_version is 6\.9"):
        unpack(archive, tree, "6.9")
    assert (tree / "Makefile").read_text() == MAKEFILE


def test_a_tarball_as_git_makes_it(tmp_path):
    """What git.kernel.org gives for a candidate: git archive of its tag."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "Makefile").write_text(CANDIDATE)
    git = ["git", "-C", str(work), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    path = tmp_path / "linux-6.8-rc3.tar.gz"
    for command in (
        ["init", "--quiet"],
        ["add", "Makefile"],
        ["commit", "--quiet", "--message=x"],
        ["archive", "--prefix=linux-6.8-rc3/", f"--output={path}", "HEAD"],
    ):
        subprocess.run([*git, *command], check=True)
    unpacked = unpack(path, tmp_path / "trees" / "linux", "6.8-rc3")
    assert unpacked.state["version"] == "6.8.0-rc3"


def test_the_tree_is_on_the_disk_before_it_is_said_to_be_whole(tarball, tmp_path, monkeypatch):
    """After a power cut an empty tree would be taken for the verified one."""
    steps, tree = [], tmp_path / "trees" / "linux"
    write, replace = trees.atomic_file.write, Path.replace

    def written(path, *arguments, **options):
        steps.append("state")
        write(path, *arguments, **options)

    def renamed(self, target):
        if target == tree:
            steps.append("name")
        return replace(self, target)

    def synced(path):
        if path == tree.parent:
            steps.append("directory")

    def all_synced(path):
        steps.append("content")
        assert sorted(item.name for item in path.glob("*/*")) == [".oslab", "Makefile", "extra"]

    monkeypatch.setattr(trees.atomic_file, "sync_file_system", all_synced, raising=False)
    monkeypatch.setattr(trees.atomic_file, "write", written)
    monkeypatch.setattr(trees.atomic_file, "sync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    unpack(tarball(), tree)
    assert steps == ["content", "state", "name", "directory"]
