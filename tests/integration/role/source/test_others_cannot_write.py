# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody but the one who builds can write to what is built, and no other tarball is."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
TAGS = ("--tags", "source,version,patch")
# The role alone, without what build.yml checks before.
ROLE = [
    {
        "name": "Source",
        "hosts": "kernel_builders",
        "gather_facts": False,
        "roles": ["oslab.kernel.source"],
    }
]


@pytest.fixture
def role(playbook, file_source, tmp_path):
    book = tmp_path / "role.json"
    book.write_text(json.dumps(ROLE))
    return lambda *options, **more: playbook(str(book), *options, **file_source, **more)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def writable(top):
    """What group or others can write to, or run as somebody else."""
    places = [top, *top.rglob("*")]
    return [
        f"{path.relative_to(top)} {path.lstat().st_mode:o}"
        for path in places
        if not path.is_symlink() and path.lstat().st_mode & 0o7022
    ]


def unreadable(top):
    return [
        str(path.relative_to(top))
        for path in top.rglob("*")
        if not path.is_symlink()
        and path.stat().st_mode & (0o055 if path.is_dir() else 0o044)
        != (0o055 if path.is_dir() else 0o044)
    ]


def loosen(member):
    member.mode = 0o7777 if member.isdir() else 0o6666 | member.mode & 0o111
    member.uid = member.gid = 4711
    return member


# The loosest and the strictest.
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_others_cannot_write_whatever_the_umask_and_the_tarball_say(
    playbook, file_source, tmp_path, umask
):
    loose = tmp_path / "loose.tar"
    with tarfile.open(loose, "w") as archive:
        archive.add(ROOT / "tests/fixtures/fakelinux", "linux-6.12", filter=loosen)
    before = os.umask(umask)
    try:
        done = playbook("build.yml", *TAGS, **{**file_source, "source_file": str(loose)})
        again = playbook("build.yml", *TAGS, **{**file_source, "source_file": str(loose)})
    finally:
        os.umask(before)
    assert (done.status, again.status) == (0, 0), done.output + again.output
    assert again.recap("changed") == 0
    tree = tmp_path / "work/trees/file-6.12/linux"
    assert writable(tmp_path / "work") == []
    assert unreadable(tree) == []
    assert {path.lstat().st_uid for path in tree.rglob("*")} == {os.geteuid()}
    programs = [path for path in (ROOT / "tests/fixtures/fakelinux").rglob("*.sh")]
    for path in programs:
        same = tree / path.relative_to(ROOT / "tests/fixtures/fakelinux")
        assert os.access(same, os.X_OK) == os.access(path, os.X_OK)


def test_what_an_earlier_run_left_loose_is_tightened_once(role, worked, tmp_path):
    worked("source")
    tree = tmp_path / "work/trees/file-6.12/linux"
    (tree / "scripts").chmod(0o777)
    (tree / "Makefile").chmod(0o666)
    predicted = role("--check")
    assert predicted.recap("changed") == 1
    assert len(writable(tmp_path / "work")) == 2
    done = role()
    assert done.recap("changed") == 1
    assert "others could write to" in done.output
    assert writable(tmp_path / "work") == []
    assert role().recap("changed") == 0


# Each mode in each place: tests/unit/plugins/module_utils/_source/test_workdir.py.
@pytest.mark.parametrize(("where", "mode"), [("work", 0o777), (".", 0o775)])
def test_a_directory_that_others_can_write_to_is_refused(
    playbook, file_source, tmp_path, where, mode
):
    (tmp_path / "work").mkdir()
    place = (tmp_path / where).resolve()
    place.chmod(mode)
    try:
        done = playbook("build.yml", *TAGS, **file_source)
    finally:
        place.chmod(0o755)
    assert done.status != 0
    output = " ".join(done.output.split())
    assert f"chmod go-w {place}" in output
    assert "source_workdir" in output
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_directory_of_somebody_else_is_refused(playbook, file_source, tmp_path):
    (tmp_path / "work").mkdir()
    os.chown(tmp_path / "work", 4711, 4711)
    done = playbook("build.yml", *TAGS, **file_source)
    assert done.status != 0
    assert "belongs to the user number 4711" in " ".join(done.output.split())
    assert list((tmp_path / "work").iterdir()) == []


def test_the_role_itself_refuses_a_tarball_of_another_checksum(role, fake_tarball, tmp_path):
    good = digest(fake_tarball)
    done = role("--check", source_sha256="0" * 64)
    assert done.status != 0
    done = role(source_sha256="0" * 64)
    assert done.status != 0
    assert f"sha256 {good}, not {'0' * 64}" in " ".join(done.output.split())
    assert not (tmp_path / "work/trees/file-6.12/linux").exists()

    assert role(source_sha256=good.upper()).status == 0
    tree = tmp_path / "work/trees/file-6.12/linux"
    before = (tree / ".oslab/source.json").read_text()
    assert json.loads(before)["sha256"] == good
    with fake_tarball.open("ab") as stream:
        stream.write(bytes(4))
    assert role(source_sha256=good).status != 0
    assert (tree / ".oslab/source.json").read_text() == before


def test_a_checksum_that_is_none_is_refused_before_all(playbook, file_source, tmp_path):
    done = playbook("build.yml", *TAGS, **file_source, source_sha256="c969")
    assert done.status != 0
    assert "source_sha256 is 'c969'" in " ".join(done.output.replace("''", "'").split())
    assert not (tmp_path / "work").exists()


DPKG = """#!/bin/sh
case "$*" in
*--control-show*) echo "$MD5  $(echo $TARBALL | cut -c 2-)" ;;
*) echo installed ;;
esac
"""


@pytest.mark.parametrize(
    ("md5", "changes", "message"),
    [
        ("", {}, ""),
        ("0" * 32, {}, "has the md5"),
        ("", {"source_sha256": "0" * 64}, "has the sha256"),
    ],
)
def test_the_tarball_of_a_package(
    playbook, fake_tarball, tmp_path, monkeypatch, md5, changes, message
):
    """With a fake dpkg: the package's tarball is the fake one."""
    tarball = tmp_path / "src" / "linux-source-6.12.tar.xz"
    tarball.parent.mkdir()
    fake_tarball.rename(tarball)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dpkg-query").write_text(DPKG)
    (programs / "dpkg-query").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    found = hashlib.md5(tarball.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setenv("MD5", md5 or found)
    monkeypatch.setenv("TARBALL", str(tarball))
    variables = {"source_provider": "distro_package", "source_version": "6.12", **changes}
    done = playbook("build.yml", "--tags", "source", **variables)
    if not message:
        assert done.status == 0, done.output
        state = tmp_path / "work/trees/distro_package-6.12/linux/.oslab/source.json"
        assert json.loads(state.read_text())["sha256"] == digest(tarball)
    else:
        assert done.status != 0
        assert message in " ".join(done.output.split())
        assert list((tmp_path / "work").rglob("Makefile")) == []
