# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures are attached to the files of a package, and the package says so."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import attach, module_signature
from ansible_collections.oslab.kernel.plugins.module_utils._build.attach import AttachError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

NAME = "lib/modules/6/kernel/a.ko"
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
CONTROL = """\
Package: linux-image-6
Version: 1
Architecture: all
Maintainer: x <x@example.org>
Installed-Size: 70
Description: x
"""


def run(argv: Any, cwd: Any = None, environment: Any = None) -> Result:
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    files = {NAME: b"\x7fELF", "usr/share/doc/x": b"x", "boot/config-6": b"y"}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / NAME).chmod(0o640)
    (root / "lib/modules/6/link.ko").symlink_to("kernel/a.ko")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(CONTROL)
    sums = "".join(f"{md5(content)}  {path}\n" for path, content in files.items())
    (root / "DEBIAN/md5sums").write_text(sums)
    (root / "DEBIAN/postinst").write_text("#!/bin/sh\n")
    (root / "DEBIAN/postinst").chmod(0o755)
    target = tmp_path / "linux-image-6_1_all.deb"
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(root), str(target)]
    subprocess.run(argv, check=True, capture_output=True, env=ENVIRONMENT)
    return target


def files_of(package: Path, place: Path) -> Path:
    subprocess.run(["dpkg-deb", "--raw-extract", package, place], check=True)
    return place


def test_the_package_says_what_it_has(package: Path, tmp_path: Path) -> None:
    unpacked = attach.unpack(package, tmp_path / "signed", run)
    names = [unpacked.relative(path) for path in unpacked.signable(image=True, modules=True)]
    assert names == [NAME]
    assert attach.attach(unpacked, {NAME: b"s" * 2000, "lib/modules/6/none.ko": b"s"}, run) == 1
    attach.repack(unpacked, run, ENVIRONMENT)
    assert not (tmp_path / "signed").exists()
    found = files_of(package, tmp_path / "found")
    module = (found / NAME).read_bytes()
    assert module_signature.split(module) == (b"\x7fELF", b"s" * 2000)
    assert (found / NAME).stat().st_mode & 0o777 == 0o640
    assert (found / "lib/modules/6/link.ko").is_symlink()
    sums = (found / "DEBIAN/md5sums").read_text()
    assert f"{md5(module)}  {NAME}\n" in sums
    assert f"{md5(b'x')}  usr/share/doc/x\n" in sums
    # One KiB more for 4 → 2044 bytes.
    assert "Installed-Size: 71\n" in (found / "DEBIAN/control").read_text()
    assert (found / "DEBIAN/postinst").stat().st_mode & 0o777 == 0o755


def test_nothing_else_changes(package: Path, tmp_path: Path) -> None:
    """Unpacked and packed it is the same, so that only signatures make a difference."""
    before = package.read_bytes()
    unpacked = attach.unpack(package, tmp_path / "signed", run)
    assert attach.attach(unpacked, {}, run) == 0
    for path in [unpacked.root, *unpacked.root.rglob("*")]:
        os.utime(path, (1700000000, 1700000000), follow_symlinks=False)
    attach.repack(unpacked, run, ENVIRONMENT)
    assert package.read_bytes() == before


def test_only_some_packages_have_what_is_signed() -> None:
    names = ("linux-image-6", "linux-image-6-dbg", "linux-modules-oslab-6", "linux-headers-6", "x")
    assert [attach.has_signable(Path(f"/s/{name}_1_amd64.deb")) for name in names] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_an_image_is_sbattachs(package: Path, tmp_path: Path) -> None:
    unpacked = attach.unpack(package, tmp_path / "signed", run)
    image = unpacked.root / "boot/vmlinuz-6"
    image.write_bytes(b"MZ")
    asked = []

    def fake(argv: Any, cwd: Any = None, environment: Any = None) -> Result:
        asked.append(list(argv))
        assert Path(argv[2]).read_bytes() == b"sig"
        image.write_bytes(b"MZ signed")
        return Result(0)

    assert attach.attach(unpacked, {"boot/vmlinuz-6": b"sig"}, fake) == 1
    assert asked[0][:2] == ["sbattach", "--attach"]
    assert asked[0][3] == str(image)
    assert [path.name for path in image.parent.iterdir() if "signature" in path.name] == []
    with pytest.raises(AttachError, match="no luck"):
        attach.attach(unpacked, {"boot/vmlinuz-6": b"sig"}, lambda *_a: Result(1, "", "no luck"))


def test_what_is_no_package(tmp_path: Path) -> None:
    package = tmp_path / "linux-image-6_1_all.deb"
    package.write_bytes(b"nothing")
    with pytest.raises(AttachError, match="raw-extract"):
        attach.unpack(package, tmp_path / "signed", run)
