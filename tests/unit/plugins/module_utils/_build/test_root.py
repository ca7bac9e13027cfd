# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build roots: what they are made of, when one is made, and what is said when none can be.

A program of the test's own stands for mmdebstrap; tar is the real one.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.plugins.module_utils._build.environment import ENTER_SCRIPT
from ansible_collections.oslab.kernel.plugins.module_utils._build.root import (
    Request,
    RootError,
    Roots,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

STATUS = """Package: gcc-12
Status: install ok installed
Architecture: amd64
Version: {version}
Description: compiler
 Version: 1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: bc
Status: install ok installed
Architecture: amd64
Version: 1.07
"""
INDEX = """Package: bc
Architecture: amd64
Version: 1.07
SHA256: {bc}

Package: gcc-12
Architecture: amd64
Version: {version}
SHA256: {gcc}
"""
RELEASE = "Origin: Debian\nDate: Sat, 28 Nov 2026 08:15:01 UTC\nSHA256:\n"
LISTS = "tree/var/lib/apt/lists"


class Archive:
    """What mmdebstrap makes a root of."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.version = "12.2.0-14"
        self.index = INDEX
        self.failure = ""
        self.calls: list[list[str]] = []

    def __call__(self, argv, cwd=None, environment=None):
        if argv[0] != "mmdebstrap":
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            return Result(done.returncode, done.stdout, done.stderr)
        self.calls.append(list(argv))
        assert environment == {"SOURCE_DATE_EPOCH": "1", "DEBIAN_FRONTEND": "noninteractive"}
        if self.failure:
            return Result(25, "", self.failure)
        time.sleep(0.2)
        files = {
            "./usr/bin/gcc": (0o6755, "x"),
            "./tmp": (0o1777, None),
            "./dev/null": (0o666, "not a device"),
            "./var/lib/dpkg/status": (0o644, STATUS.format(version=self.version)),
            "./var/lib/apt/lists/deb_main_binary-amd64_Packages": (
                0o666,
                self.index.format(version=self.version, bc="b" * 64, gcc="c" * 64),
            ),
            "./var/lib/apt/lists/deb_InRelease": (0o644, RELEASE),
            "./var/lib/apt/lists/security_InRelease": (0o644, RELEASE.replace("08:15", "09:00")),
        }
        with tarfile.open(argv[argv.index("bookworm") + 1], "w") as tar:
            for name, (mode, text) in files.items():
                file = self.directory / "content"
                file.write_text(text or "")
                member = tar.gettarinfo(str(file), name)
                member.mode, member.uid, member.uname = mode, 1234, ""
                if text is None:
                    member.type, member.size = tarfile.DIRTYPE, 0
                with file.open("rb") as stream:
                    tar.addfile(member, stream if text is not None else None)
        return Result(0)


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path)


@pytest.fixture
def request_(tmp_path):
    keyring = tmp_path / "keyring.gpg"
    keyring.write_bytes(b"keys")
    return Request("bookworm", "amd64", ["gcc", "bc"], keyring=str(keyring))


@pytest.fixture
def roots(tmp_path):
    os.umask(0o022)
    return Roots(tmp_path / "roots", os.geteuid())


def make(roots, request, archive):
    with roots.locked():
        return roots.make(request, archive)


def test_a_root(roots, request_, archive):
    assert roots.find(request_) is None
    made, is_new = make(roots, request_, archive)
    assert is_new
    place = Path(made["directory"])
    assert place == roots.directory / made["id"]
    assert made["packages"] == [
        {"name": "bc", "version": "1.07", "architecture": "amd64", "sha256": "b" * 64},
        {"name": "gcc-12", "version": "12.2.0-14", "architecture": "amd64", "sha256": "c" * 64},
    ]
    assert roots.find(request_) == made
    assert sorted(path.name for path in roots.directory.iterdir()) == sorted(
        [made["id"], "lock", *(path.name for path in roots.directory.glob("*.json"))]
    )
    assert not (place / "root.tar").exists()
    assert list((place / LISTS).iterdir()) == []


def test_all_of_it_belongs_to_the_builder(roots, request_, archive):
    place = Path(make(roots, request_, archive)[0]["directory"]) / "tree"
    modes = {path: path.stat().st_mode for path in place.rglob("*")}
    assert {path.stat().st_uid for path in modes} == {os.geteuid()}
    assert [path for path, mode in modes.items() if mode & 0o022] == []
    assert modes[place / "usr/bin/gcc"] & 0o7777 == 0o755
    assert not (place / "dev/null").exists()


def test_the_identity_is_what_it_consists_of(roots, request_, archive, tmp_path):
    first = make(roots, request_, archive)[0]
    mirror = dataclasses.replace(request_, mirrors=["http://mirror.example.org/debian"])
    again, is_new = make(roots, mirror, archive)
    assert (again["id"], is_new) == (first["id"], False)
    # The first one's record stays, and both inputs lead to it.
    assert roots.find(mirror)["mirrors"] == first["mirrors"]
    archive.version = "12.2.0-15"
    newer, is_new = make(roots, request_, archive)
    assert is_new
    assert newer["id"] != first["id"]
    assert roots.find(request_)["id"] == newer["id"]
    assert roots.find(mirror)["id"] == first["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "trixie"},
        {"packages": ["gcc"]},
        {"architecture": "arm64"},
        {"mirrors": ["http://mirror.example.org/debian"]},
    ],
)
def test_other_inputs_are_another_root(roots, request_, archive, change):
    make(roots, request_, archive)
    assert roots.find(dataclasses.replace(request_, **change)) is None
    same = dataclasses.replace(request_, packages=["bc", "gcc", "bc"])
    assert roots.find(same) is not None
    Path(request_.keyring).write_bytes(b"other keys")
    assert roots.find(request_) is None


def test_a_part_of_a_root_is_none(roots, request_, archive):
    made = make(roots, request_, archive)[0]
    place = Path(made["directory"])
    (place / "tree/usr").rename(place / "tree/gone")
    assert roots.find(request_) is None
    again, is_new = make(roots, request_, archive)
    assert (again["id"], is_new) == (made["id"], True)
    assert (place / "tree/usr").is_dir()


def test_what_was_killed_is_removed(roots, request_, archive):
    roots.directory.mkdir()
    (roots.directory / ".making-x/tree/usr").mkdir(parents=True)
    make(roots, request_, archive)
    assert not (roots.directory / ".making-x").exists()


def test_a_failure_leaves_nothing(roots, request_, archive):
    archive.failure = "E: Unable to locate package bcc"
    with pytest.raises(RootError, match="Unable to locate package bcc"):
        make(roots, request_, archive)
    assert [path.name for path in roots.directory.iterdir()] == ["lock"]


def test_two_makers(roots, request_, archive):
    """As the module does it."""

    def one():
        with roots.locked():
            if roots.find(request_) is None:
                roots.make(request_, archive)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.calls) == 1


def test_a_package_that_no_index_has(roots, request_, archive):
    archive.index = INDEX.replace("Package: bc", "Package: bcc")
    with pytest.raises(RootError, match=r"no index of build_root_mirrors has bc 1\.07"):
        make(roots, request_, archive)


def test_roots_that_nobody_uses(roots, request_, archive):
    old = make(roots, request_, archive)[0]["id"]
    archive.version = "12.2.0-15"
    new = make(roots, request_, archive)[0]["id"]
    now = time.time()
    assert roots.unused(30, now) == []
    assert roots.unused(30, now + 31 * 86400) == sorted([old, new])
    assert roots.unused(30, now + 31 * 86400, used=new) == [old]
    os.utime(roots.directory / old / "root.json", (1, 1))
    assert roots.unused(30, now) == [old]
    roots.use(old)
    assert roots.unused(30, now) == []
    roots.remove([old])
    names = {path.name for path in roots.directory.iterdir() if path.is_dir()}
    assert names == {new}
    assert roots.find(request_)["id"] == new
    roots.remove([new])
    assert roots.find(request_) is None
    assert list(roots.directory.glob("*.json")) == []


def test_how_it_is_entered_is_of_this_version(roots, request_, archive):
    made = make(roots, request_, archive)[0]
    script = Path(made["directory"]) / "enter.py"
    roots.use(made["id"])
    assert script.read_bytes() == ENTER_SCRIPT
    script.write_text("old")
    roots.use(made["id"])
    assert script.read_bytes() == ENTER_SCRIPT


# --- the command, and the archives -------------------------------------------------------------


def test_the_command(request_):
    argv = build_root.command(request_, Path("/t"), 0)
    assert argv[0] == "mmdebstrap"
    assert "--mode=root" in argv
    assert f"--keyring={request_.keyring}" in argv
    assert "--include=bc,gcc" in argv
    assert argv[-5:-3] == ["bookworm", "/t"]
    signed = f'deb [signed-by="{request_.keyring}"] http://deb.debian.org'
    assert argv[-3:] == [
        f"{signed}/debian bookworm main",
        f"{signed}/debian bookworm-updates main",
        f"{signed}/debian-security bookworm-security main",
    ]
    assert all("signed-by" not in source for source in request_.sources)
    assert "--mode=unshare" in build_root.command(request_, Path("/t"), 1000)


def test_mirrors(request_):
    snapshot = "https://snapshot.debian.org/archive/debian/20250520T000000Z"
    security = "http://m.example.org/security bookworm-security main contrib"
    found = dataclasses.replace(request_, mirrors=[snapshot, security]).sources
    assert found == [
        f"deb [check-valid-until=no] {snapshot} bookworm main",
        f"deb {security}",
    ]


def test_a_mirror_on_the_builder(request_):
    """mmdebstrap looks for packages of file: in the root."""
    mirror = "file:///srv/archive/debian/20250520T000000Z"
    local = dataclasses.replace(request_, mirrors=[mirror])
    assert local.sources == [f"deb [check-valid-until=no] {mirror} bookworm main"]
    signed = f'check-valid-until=no signed-by="{request_.keyring}"'
    place = mirror[len("file:") :]
    assert local.verified_sources == [f"deb [{signed}] copy:{place} bookworm main"]


def test_an_account_would_be_in_each_record(request_):
    mirrors = ["http://m/x", "https://bob:secret@m/x bookworm main"]
    with pytest.raises(RootError, match=r"build_root_mirrors\[1\] cannot be used") as caught:
        dataclasses.replace(request_, mirrors=mirrors)
    assert "secret" not in str(caught.value)


def test_other_suites():
    noble = Request("noble", "amd64", [])
    assert noble.keyring_package == "ubuntu-keyring"
    assert noble.sources[0] == "deb http://archive.ubuntu.com/ubuntu noble main universe"
    other = Request("sarge", "amd64", [])
    with pytest.raises(RootError, match=r"build_root_suite is sarge.*set build_root_mirrors"):
        _ = other.sources
    with pytest.raises(RootError, match="set build_root_keyring"):
        _ = other.key_file
    given = dataclasses.replace(other, mirrors=["http://m/x"], keyring="/k")
    assert (given.sources, given.key_file) == (["deb http://m/x sarge main"], Path("/k"))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("E: Could not resolve 'nowhere.example'", "cannot be reached"),
        ("Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111)", "build_root_mirrors"),
        ("GPG error: … NO_PUBKEY 0E98404D386FA1D9", "does not verify the archive"),
        ("The repository 'http://x sid InRelease' is not signed.", "build_root_keyring"),
        ("E: Unable to locate package x", "dependencies_extra_packages"),
        ("E: Failed to fetch http://x/y.deb  Hash Sum mismatch", "signed index names"),
        ("E: Failed to fetch copy:/x/y.deb  Undetermined Error", "signed index names"),
        ("E: Release file for http://x/InRelease is expired (invalid", "has expired"),
    ],
)
def test_why_none_is_made(roots, request_, archive, said, advice):
    archive.failure = said
    with pytest.raises(RootError, match=advice) as caught:
        make(roots, request_, archive)
    assert said in str(caught.value)


# --- what the builder needs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uid", "settings", "advice"),
    [
        (0, {"/proc/sys/user/max_user_namespaces": 0}, "user.max_user_namespaces"),
        (5, {"/proc/sys/user/max_user_namespaces": 0}, "user.max_user_namespaces"),
        (5, {"/proc/sys/kernel/unprivileged_userns_clone": 0}, "unprivileged_userns_clone=1"),
        (5, {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1}, "AppArmor"),
    ],
)
def test_namespaces_that_are_forbidden(uid, settings, advice):
    problem = build_root.namespace_problem(uid, settings.get) or ""
    assert advice in problem
    assert "build_environment: host" in problem


def test_namespaces_that_are_allowed():
    forbidden = {
        "/proc/sys/kernel/unprivileged_userns_clone": 0,
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1,
    }
    assert build_root.namespace_problem(0, forbidden.get) is None
    allowed = {name: 1 - value for name, value in forbidden.items()}
    assert build_root.namespace_problem(5, allowed.get) is None
    assert build_root.namespace_problem(5, lambda _path: None) is None


def test_bubblewrap_that_fails():
    with pytest.raises(RootError, match=r"cannot make a namespace.*No permissions"):
        build_root.check_namespaces(lambda *_: Result(1, "", "bwrap: No permissions"), 0)
    build_root.check_namespaces(lambda *_: Result(0), 0)


def test_what_the_builder_lacks(request_, tmp_path):
    assert build_root.missing(request_, str) == []
    assert build_root.missing(request_, lambda _name: None) == ["mmdebstrap", "bubblewrap"]
    without = dataclasses.replace(request_, keyring=str(tmp_path / "none"))
    with pytest.raises(RootError, match=r"build_root_keyring .*none is not on the builder"):
        build_root.check_keyring(without)
    build_root.check_keyring(request_)


def test_the_root_of_a_lock_or_none(roots, request_, archive):
    made, _new = make(roots, request_, archive)
    lock = build_root.locked(made)
    assert lock["packages"]["gcc-12:amd64"] == {"version": "12.2.0-14", "sha256": "c" * 64}
    assert lock["snapshot"] == "20261128T090001Z"
    archive.version = "12.2.0-15"
    there = sorted(path.name for path in roots.directory.iterdir())
    with roots.locked(), pytest.raises(RootError) as caught:
        roots.make(request_, archive, lock)
    message = str(caught.value)
    assert "environment.root.packages.gcc-12:amd64.version: locked 12.2.0-14, found 12.2.0-15" in (
        message
    )
    assert "archive/debian/20261128T090001Z/" in message
    assert sorted(path.name for path in roots.directory.iterdir()) == there
    archive.version = "12.2.0-14"
    roots.remove([made["id"]])
    with roots.locked():
        again, is_new = roots.make(request_, archive, lock)
    assert (again["id"], is_new) == (made["id"], True)


@pytest.mark.parametrize(
    "said",
    [
        "E: Unable to locate package gcc-12",
        "E: Package 'gcc-12' has no installation candidate",
        " gcc : Depends: gcc-12 (>= 12.2.0-1~) but it is not installable",
        "   2. gcc:amd64 Depends gcc-12 (>= 12)\n      but none of the choices are installable:",
        "E: Failed to fetch http://x/pool/main/g/gcc-12/gcc-12_12.2.0-14_amd64.deb  404  Not Found",
        "E: Failed to fetch copy:/x/gcc-12_12.2.0-14_amd64.deb  Failed to stat - stat (2: No such)",
    ],
)
def test_a_locked_package_that_is_gone(roots, request_, archive, said):
    lock = build_root.locked(make(roots, request_, archive)[0])
    archive.failure = said
    with roots.locked(), pytest.raises(RootError) as caught:
        roots.make(request_, archive, lock)
    message = str(caught.value)
    assert "packages.gcc-12:amd64.version: locked 12.2.0-14, found nothing" in message
    assert "Set build_root_mirrors to the archives of that time" in message
    assert "bc" not in message.replace("build_root", "")


def test_the_reason_is_not_cut_off(roots, request_, archive):
    """mmdebstrap adds lines about itself, with the whole command."""
    said = "W: OpenPGP signature verification failed: x: Message has been manipulated"
    noise = ["I: main() received signal PIPE", f"E: apt-get --yes {'-o x=y ' * 200} failed"]
    archive.failure = "\n".join(
        [said, "E: The repository is odd.", *noise * 9, "E: mmdebstrap failed"]
    )
    with pytest.raises(RootError, match=f"main: {said} / E: The repository is odd. If") as caught:
        make(roots, request_, archive)
    assert "-o x=y" not in str(caught.value)


def test_an_index_without_a_date(tmp_path):
    (tmp_path / "x_Release").write_text("Date: some day\n")
    assert build_root.archive_date(tmp_path) == ""
