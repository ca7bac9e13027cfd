# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build roots of a snapshot: apt, its signatures and mmdebstrap are the real ones.

The archives are local ones of two small packages. They have no shell, so that mmdebstrap unpacks
them without entering the root; all before that is done as for every root.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.plugins.module_utils._build.root import (
    Request,
    RootError,
    Roots,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import debian_archive, openpgp_keys

PROGRAMS = ("mmdebstrap", "apt-get", "dpkg-scanpackages", "gpg", "gpgv")
pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in PROGRAMS), reason=f"needs {', '.join(PROGRAMS)}"
)

# When the root was made, as Debian's archive had its index then.
THEN = datetime(2025, 5, 20, 8, 15, 1, tzinfo=timezone.utc)
SNAPSHOT = "archive/debian/20250520T081501Z"
DAY = timedelta(days=1)
DEPENDS = "libtiny (>= 1)"
# What apt says for an address that nothing listens to.
NOBODY = "http://127.0.0.1:9"


def run(argv, cwd=None, environment=None):
    """The program; mmdebstrap makes of these packages what it can. No other archive is reached."""
    argv = list(argv)
    if argv[0] == "mmdebstrap":
        argv[1:3] = ["--mode=chrootless", "--variant=custom"]
    proxies = {"http_proxy": NOBODY, "https_proxy": NOBODY, "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C", **proxies, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def keys():
    with openpgp_keys.keys("archive", "stranger") as found:
        yield SimpleNamespace(archive=found[0], stranger=found[1])


@pytest.fixture(scope="module")
def debs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("debs")
    names = [("libtiny", "1.0", ""), ("tiny", "1:2.0-3", DEPENDS), ("tiny", "1:2.0-4", DEPENDS)]
    return {f"{name} {v}": debian_archive.package(directory, name, v, d) for name, v, d in names}


@pytest.fixture(scope="module")
def old(debs):
    return [debs["libtiny 1.0"], debs["tiny 1:2.0-3"]]


@pytest.fixture(scope="module")
def new(debs):
    return [debs["libtiny 1.0"], debs["tiny 1:2.0-4"]]


@pytest.fixture(scope="module")
def place():
    """A directory that apt's own user can read, as it cannot read pytest's."""
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="oslab") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def then(place, keys, old):
    """The archive as it was, its server, and the lock of a root that was made of it."""
    keyring = place / "keyring.asc"
    keyring.write_text(keys.archive.public)
    with debian_archive.served(place / "public") as server:
        ordinary = debian_archive.write(place / "public/debian", old, keys.archive, THEN)
        arch, mirrors = debian_archive.architecture(), [f"{server.url}/debian"]
        request = Request("bookworm", arch, ["tiny"], mirrors, str(keyring))
        lock = build_root.locked(make(place / "locking", request)[0])
        yield SimpleNamespace(ordinary=ordinary, request=request, lock=lock, server=server)


@pytest.fixture
def world(then, place, tmp_path, keys, old, new):
    """Time has passed: the archive has a newer version, and the snapshot's index has expired."""
    snapshot = place / "public" / SNAPSHOT
    debian_archive.write(snapshot, old, keys.archive, THEN, THEN + 7 * DAY)
    debian_archive.write(then.ordinary, new, keys.archive, THEN + 30 * DAY)
    then.server.asked.clear()
    mirrors = [f"{then.server.url}/{SNAPSHOT}"]
    from_snapshot = dataclasses.replace(then.request, mirrors=mirrors)
    mine = {"snapshot": snapshot, "from_snapshot": from_snapshot, "roots": tmp_path / "roots"}
    return SimpleNamespace(**vars(then), **mine)


def make(directory, request, lock=None):
    roots = Roots(directory, os.geteuid())
    with roots.locked():
        return roots.make(request, run, lock)


def refused(world, request):
    """The message; no root is left."""
    with pytest.raises(RootError) as caught:
        make(world.roots, request, world.lock)
    assert [path.name for path in world.roots.iterdir()] == ["lock"]
    return str(caught.value)


def test_a_root_of_a_snapshot_alone(world):
    """Its index has expired, and no other archive is reached."""
    made, is_new = make(world.roots, world.from_snapshot, world.lock)
    assert is_new
    assert made["id"] == world.lock["id"]
    assert build_root.locked(made) == world.lock
    assert world.lock["snapshot"] in made["mirrors"][0]
    assert {path.partition("/archive/")[0] for path in world.server.asked} == {""}
    tree = Path(made["directory"]) / "tree"
    assert (tree / "usr/share/doc/tiny/version").read_text() == "1:2.0-3\n"


def test_a_copy_of_it_on_the_builder(world):
    request = dataclasses.replace(world.request, mirrors=[f"file://{world.snapshot}"])
    made, _new = make(world.roots, request, world.lock)
    assert made["id"] == world.lock["id"]
    assert world.server.asked == []


def test_a_newer_version_in_the_archive(world):
    message = refused(world, world.request)
    arch = debian_archive.architecture()
    line = f"environment.root.packages.tiny:{arch}.version: locked 1:2.0-3, found 1:2.0-4"
    assert line in message
    assert "Set build_root_mirrors to the archives of that time" in message
    assert "https://snapshot.debian.org/archive/debian/20250520T081501Z/" in message
    assert "libtiny" not in message
    assert make(world.roots, world.from_snapshot, world.lock)[0]["id"] == world.lock["id"]


@pytest.mark.parametrize(
    ("name", "version"),
    [pytest.param("tiny", "1:2.0-3", id="wanted"), pytest.param("libtiny", "1.0", id="dependency")],
)
def test_a_package_that_the_archive_no_longer_has(world, keys, old, name, version):
    rest = [deb for deb in old if not deb.name.startswith(f"{name}_")]
    debian_archive.write(world.ordinary, rest, keys.archive, THEN + 30 * DAY)
    message = refused(world, world.request)
    arch = debian_archive.architecture()
    assert f"packages.{name}:{arch}.version: locked {version}, found nothing" in message
    assert "Set build_root_mirrors to the archives of that time" in message
    assert "/archive/debian/20250520T081501Z/" in message
    assert make(world.roots, world.from_snapshot, world.lock)[0]["id"] == world.lock["id"]


def test_a_file_that_the_archive_no_longer_has(world, keys, old):
    """The index is the old one, as that of a mirror which is not whole."""
    debian_archive.write(world.ordinary, old, keys.archive, THEN)
    [deb] = world.ordinary.rglob("tiny_*.deb")
    deb.unlink()
    message = refused(world, world.request)
    arch = debian_archive.architecture()
    assert f"packages.tiny:{arch}.version: locked 1:2.0-3, found nothing" in message
    assert "Set build_root_mirrors to the archives of that time" in message


@pytest.mark.parametrize("name", ["tiny_*.deb", "Packages"])
def test_an_altered_file(world, name):
    [path] = world.snapshot.rglob(name)
    debian_archive.altered_byte(path)
    message = refused(world, world.from_snapshot)
    assert "is not the one that the signed index names" in message
    assert path.name.partition("_")[0] in message
    assert "Hash Sum mismatch" in message


def test_an_altered_list_of_indexes(world):
    """With the date of another day, and the checksum of an altered package."""
    path = world.snapshot / debian_archive.DISTS / "InRelease"
    path.write_text(path.read_text().replace("Date: Tue, 20", "Date: Wed, 21"))
    message = refused(world, world.from_snapshot)
    assert "does not verify the archive" in message
    assert "BADSIG" in message


def test_a_list_of_indexes_that_somebody_else_signed(world, keys):
    debian_archive.sign(world.snapshot, keys.stranger, THEN, THEN + 7 * DAY)
    message = refused(world, world.from_snapshot)
    assert "does not verify the archive" in message
    assert "NO_PUBKEY" in message


def test_a_list_of_indexes_without_a_signature(world):
    path = world.snapshot / debian_archive.DISTS / "InRelease"
    text = path.read_text().partition("\n\n")[2].partition("-----BEGIN")[0]
    path.with_name("Release").write_text(text)
    path.unlink()
    message = refused(world, world.from_snapshot)
    assert "does not verify the archive" in message
    assert "is not signed" in message


def test_an_expired_index_elsewhere(world, keys, old):
    """Somebody may keep back what was updated since."""
    debian_archive.write(world.ordinary, old, keys.archive, THEN, THEN + 7 * DAY)
    message = refused(world, world.request)
    assert "has expired" in message
    assert "/archive/debian/YYYYMMDDTHHMMSSZ" in message


def test_another_version_in_the_snapshot(world, keys, new):
    """One of another day is refused, though its signature is good."""
    debian_archive.write(world.snapshot, new, keys.archive, THEN + DAY, THEN + 7 * DAY)
    assert "locked 1:2.0-3, found 1:2.0-4" in refused(world, world.from_snapshot)


def test_other_bytes_under_the_same_version(world, keys, debs, tmp_path):
    """Built anew, and signed by the archive itself."""
    deb = debian_archive.package(tmp_path, "tiny", "1:2.0-3", DEPENDS)
    tree = tmp_path / "tiny_1:2.0-3"
    argv = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(deb)]
    subprocess.run(argv, check=True, capture_output=True)
    debian_archive.write(world.snapshot, [debs["libtiny 1.0"], deb], keys.archive, THEN)
    message = refused(world, world.from_snapshot)
    arch = debian_archive.architecture()
    assert f"packages.tiny:{arch}.sha256: locked" in message
