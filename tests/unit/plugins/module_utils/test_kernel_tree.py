# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree is there whole or not at all."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import kernel_tree as trees
from ansible_collections.oslab.kernel.plugins.module_utils.source_process import feed

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


def unpack(tarball, tree, version="6.8"):
    return trees.unpack(
        tarball, tree, feed, sha256="", version=version, provider="file", max_size=1 << 20
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
    ("arguments", "told"),
    [
        ({"makefile": "all:\n"}, "not a kernel's source"),
        ({"makefile": MAKEFILE.replace("8", "9")}, r"holds Linux 6\.9\.0"),
    ],
)
def test_wrong_contents_leave_nothing(tarball, tmp_path, arguments, told):
    tree = tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match=told):
        unpack(tarball(**arguments), tree)
    assert list(tree.parent.iterdir()) == []


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
    ("changes", "told"),
    [
        ({"name": "linux-6.8/../../evil"}, "leads out"),
        ({"name": "/tmp/oslab-evil"}, "leads out"),
        ({"name": "linux-6.8/out", "type": tarfile.SYMTYPE, "linkname": "../.."}, "leads out"),
        ({"name": "linux-6.8/null", "type": tarfile.CHRTYPE}, "character device"),
        ({"name": "linux-6.8/zeros", "size": 2 << 20}, "unpacks to more than 1048576 bytes"),
    ],
)
def test_a_hostile_tarball_leaves_nothing(tarball, tmp_path, changes, told):
    path = tarball()
    with tarfile.open(path) as old, tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as new:
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        member = tarfile.TarInfo()
        for name, value in changes.items():
            setattr(member, name, value)
        new.addfile(member, io.BytesIO(bytes(member.size)))
    tree = tmp_path / "trees" / "linux"
    with pytest.raises(trees.TreeError, match=told):
        unpack(tmp_path / "evil.tar.gz", tree)
    assert list(tree.parent.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_versions():
    assert trees.version_matches("6.12.117", "6.12")
    assert trees.version_matches("6.8.0", "6.8")
    assert trees.version_matches("6.13.0", "6.13-rc2")
    assert not trees.version_matches("6.12.117", "6.1")
    assert not trees.version_matches("6.12.117", "6.12.11")
