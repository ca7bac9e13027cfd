# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a build's files says what the packages hold."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import package_files
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import ListError

ID = "ab" * 32
MANIFEST = {"release": "6.12-x", "version": "6.12-oslab1.abababababab", "build_id": ID}
IMAGE, HEADERS, DEBUG = "linux-image-6.12-x", "linux-headers-6.12-x", "linux-image-6.12-x-dbg"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_deb(directory, name, **files):
    root = directory / "root" / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: m <m@example.org>\n"
        "Description: d\n"
    )
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    (root / "link").symlink_to("/elsewhere")
    store = directory / "store" / ID
    store.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["dpkg-deb", "-Zxz", "--build", root, store / f"{name}.deb"],
        check=True,
        capture_output=True,
    )
    return {"file": f"{name}.deb"}


@pytest.fixture
def store(tmp_path):
    packages = {
        IMAGE: make_deb(tmp_path, IMAGE, **{"boot/vmlinuz-6.12-x": "image", "lib/.a b.ko": "é"}),
        HEADERS: make_deb(tmp_path, HEADERS, **{"usr/src/a.h": "x"}),
        DEBUG: make_deb(tmp_path, DEBUG, **{"usr/lib/debug/vmlinux": "x"}),
    }
    directory = tmp_path / "store" / ID
    recorded = package_files.write_list(directory, packages, tmp_path / "vmlinux", MANIFEST)
    (directory / "build.json").write_text(json.dumps({"packages": packages, **recorded}))
    return tmp_path / "store"


def test_every_file_with_its_checksum(store):
    found = package_files.stored_list(store, ID)
    assert found is not None
    assert found["packages"] == {
        IMAGE: {
            "/boot/vmlinuz-6.12-x": sha256(b"image"),
            "/lib/.a b.ko": sha256("é".encode()),
            "/link": "-> /elsewhere",
        }
    }
    assert {name: found[name] for name in MANIFEST} == MANIFEST
    assert found["gnu_build_id"] == ""  # this vmlinux is none


def test_the_first_digits_are_enough(store):
    found = package_files.stored_list(store, ID[:12])
    assert found is not None
    assert found["build_id"] == ID
    assert package_files.stored_list(store, "cd" * 6) is None
    assert package_files.stored_list(store / "missing", ID) is None
    with pytest.raises(ListError, match="at least 12 digits"):
        package_files.stored_list(store, ID[:11])


def test_a_list_that_was_changed_is_refused(store):
    path = store / ID / "files.json"
    path.write_text(path.read_text().replace(sha256(b"image"), sha256(b"other")))
    with pytest.raises(ListError, match="it was changed"):
        package_files.stored_list(store, ID)


def test_builds_from_before_there_were_lists(store):
    (store / ID / "build.json").write_text("{}")
    assert package_files.stored_list(store, ID) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"gnu_build_id": None}, "nothing usable about gnu_build_id"),
        ({"packages": {"a": []}}, "about packages"),
        ({"packages": {"a": {"/x": 1}}}, "about packages"),
        ({"packages": {"a": {"/x": "ab"}}}, "about packages"),
        ({"packages": {"a": {"x": "ab" * 32}}}, "about packages"),
        ({"packages": {"a": {"/lib/../etc/x": "ab" * 32}}}, "about packages"),
        ({"packages": {"a": {"/x\x1b[2J": "ab" * 32}}}, "about packages"),
        ({"packages": {"a": {"/x": "-> a\nb"}}}, "about packages"),
        ({"packages": {"../a": {}}}, "about packages"),
        ({"release": "../../etc"}, "about release"),
        ({"release": ""}, "about release"),
        ({"version": "1\x07"}, "about version"),
        ({"build_id": "x"}, "about build_id"),
        ({"gnu_build_id": "x"}, "about gnu_build_id"),
        ({"schema": "x" * 1000}, "has schema 'xxx.{0,40}, not 1$"),
    ],
)
def test_lists_that_nobody_understands(change, message):
    good = {"schema": 1, **MANIFEST, "gnu_build_id": "", "packages": {}}
    assert package_files.check_list(good, "it") == good
    with pytest.raises(ListError, match=message):
        package_files.check_list({**good, **change}, "it")
    with pytest.raises(ListError, match="not a JSON object"):
        package_files.check_list(None, "it")


def test_a_list_that_came_over_the_network(monkeypatch):
    good = {"schema": 1, **MANIFEST, "gnu_build_id": "", "packages": {}}
    data = json.dumps(good).encode()
    assert package_files.parse_list(data, "it") == good
    assert package_files.parse_list(data, "it", sha256(data)) == good
    with pytest.raises(ListError, match="it is not the list that was published"):
        package_files.parse_list(data + b" ", "it", sha256(data))
    for nothing in (b"", b"\xff", b"[" * 200_000, b'{"a": ' * 200_000):
        with pytest.raises(ListError, match="it is no JSON"):
            package_files.parse_list(nothing, "it")
    monkeypatch.setattr(package_files, "LIMIT", len(data) - 1)
    with pytest.raises(ListError, match="it is larger than"):
        package_files.parse_list(data, "it")


def test_too_many_files(monkeypatch):
    good = {"schema": 1, **MANIFEST, "gnu_build_id": "", "packages": {}}
    packages = {"a": {"/x": "ab" * 32}, "b": {"/x": "ab" * 32}}
    monkeypatch.setattr(package_files, "MOST_FILES", 1)
    with pytest.raises(ListError, match="about packages"):
        package_files.check_list({**good, "packages": packages}, "it")


def test_a_hard_link_is_the_file_that_it_is():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        first = tarfile.TarInfo("./a")
        first.size = 1
        tar.addfile(first, io.BytesIO(b"x"))
        second = tarfile.TarInfo("./b")
        second.type, second.linkname = tarfile.LNKTYPE, "./a"
        tar.addfile(second)
    stream.seek(0)
    assert package_files.tar_files(stream) == {"/a": sha256(b"x"), "/b": sha256(b"x")}


def test_a_broken_package(tmp_path):
    (tmp_path / "a.deb").write_text("no package")
    with pytest.raises(ListError, match="cannot be read"):
        package_files.deb_files(tmp_path / "a.deb")
