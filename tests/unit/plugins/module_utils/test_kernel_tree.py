# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree is there whole or not at all."""

from __future__ import annotations

import json
import subprocess
import tarfile

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import kernel_tree as trees

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 8\nSUBLEVEL = 0\nEXTRAVERSION =\n"


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


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
    return trees.unpack(tarball, tree, run, sha256="", version=version, provider="file")


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
    with pytest.raises(trees.TreeError, match="cannot be unpacked"):
        unpack(broken, tree)
    assert (tree / "Makefile").read_text() == MAKEFILE
    assert [path.name for path in tree.parent.iterdir()] == ["linux"]


def test_versions():
    assert trees.version_matches("6.12.117", "6.12")
    assert trees.version_matches("6.8.0", "6.8")
    assert trees.version_matches("6.13.0", "6.13-rc2")
    assert not trees.version_matches("6.12.117", "6.1")
    assert not trees.version_matches("6.12.117", "6.12.11")
