# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages made of a directory."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import deb
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

PACKAGE = deb.Package(
    name="a-tool",
    version="1-2",
    architecture="amd64",
    section="utils",
    summary="a tool",
    description="It is one.",
    source="linux-upstream",
    depends="b (= 1-2)",
    suggests="c",
    scripts={"postinst": "#!/bin/sh\n"},
)


def run(argv, cwd=None, environment=None):
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def make(directory, umask, time):
    """The same package, made by another user at another time."""
    old = os.umask(umask)
    root, output = directory / "root", directory / "out"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_bytes(b"x" * 1500)
    (root / "usr/bin/tool").chmod(0o700)
    (root / "usr/note").write_text("n")
    os.utime(root / "usr/note", (time, time))
    output.mkdir()
    os.umask(old)
    environment = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1000000000"}
    return deb.build(PACKAGE, root, output, run, environment)


def test_control_leaves_out_what_is_empty():
    text = deb.control(PACKAGE, 2)
    assert text.startswith("Package: a-tool\nSource: linux-upstream\nVersion: 1-2\n")
    assert "Installed-Size: 2\nDepends: b (= 1-2)\nSuggests: c\nSection: utils\n" in text
    assert text.endswith("Description: a tool\n It is one.\n")
    bare = deb.Package("n", "1", "all", "utils", "s", "d", "src")
    for field in ("Depends", "Suggests"):
        assert field not in deb.control(bare, 1)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb")
def test_same_files_same_package(tmp_path):
    first = make(tmp_path / "1", 0o022, 1600000000)
    second = make(tmp_path / "2", 0o077, 1700000000)
    assert first.name == "a-tool_1-2_amd64.deb"
    assert first.read_bytes() == second.read_bytes()
    listing = subprocess.run(
        ["dpkg-deb", "--contents", str(first)], capture_output=True, text=True, check=True
    ).stdout
    assert "-rwxr-xr-x root/root      1500 2001-09-09 01:46 ./usr/bin/tool" in listing
    assert "-rw-r--r-- root/root         1 2001-09-09 01:46 ./usr/note" in listing


def test_a_refusal_is_shown(tmp_path):
    (tmp_path / "root").mkdir()
    with pytest.raises(deb.PackageError, match="no such version"):
        deb.build(PACKAGE, tmp_path / "root", tmp_path, lambda *_: Result(2, "no such version"), {})


@pytest.mark.parametrize(("kind", "suffix"), [("zstd", "zst"), ("xz", "xz")])
def test_the_compression_is_that_of_the_other_packages(tmp_path, kind, suffix):
    (tmp_path / "root/usr").mkdir(parents=True)
    (tmp_path / "root/usr/note").write_text("n")
    settings = {"PATH": os.environ["PATH"], "KDEB_COMPRESS": kind}
    made = deb.build(PACKAGE, tmp_path / "root", tmp_path, run, settings)
    members = subprocess.run(["ar", "t", made], capture_output=True, text=True, check=True)
    assert members.stdout.split()[1:] == [f"control.tar.{suffix}", f"data.tar.{suffix}"]


def test_dpkg_debs_reason_is_in_the_message(tmp_path):
    broken = tmp_path / "a.deb"
    broken.write_bytes(b"!<arch>\n")
    message = "ended with status 2: dpkg-deb: error"
    with pytest.raises(deb.PackageError, match=message), deb.contents(broken):
        pass
