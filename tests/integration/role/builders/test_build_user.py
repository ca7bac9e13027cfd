# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""build_user: root installs and publishes, and a user without rights does all that is between."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import fake_builder, signing_keys
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG
from ansible_collections.oslab.kernel.tests.lib.namespaces import needs_bwrap
from ansible_collections.oslab.kernel.tests.lib.playbook import LOCAL, ROOT, Run, run_playbook

# What Ansible calls as sudo, which needs no settings and may not be installed.
SUDO = """\
#!/bin/sh
while :; do
  case $1 in -u) user=$2; shift 2 ;; -*) shift ;; *) break ;; esac
done
HOME=$(getent passwd "$user" | cut -d: -f6)
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
"""
# Whoever runs make leaves a trace.
TRACE = "\n$(shell touch {seen}/by-$$(id -u))\n"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def words(output: str) -> str:
    return " ".join(output.split())


class Machine:
    """A builder with a user who builds. All that a run writes is below `top`."""

    def __init__(self, top: Path, user: str) -> None:
        self.top, self.user = top, user
        self.state, self.work = top / "state", top / "state/build"
        self.root, self.seen = top / "repository", top / "seen"
        self.seen.mkdir()
        self.seen.chmod(0o1777)
        self.sudo = top / "sudo"
        self.sudo.write_text(SUDO)
        self.sudo.chmod(0o755)
        (top / "base.config").write_text(STOCK_CONFIG)
        self.tarball = self._tarball()
        self.variables: dict[str, Any] = {
            **fake_builder.variables(top, self.tarball, self.work),
            "config_base": str(top / "base.config"),
            "build_user": user,
            "build_state_dir": str(self.state),
            # The machine of a test gets no packages.
            "dependencies_user_packages": [],
        }
        (top / "metrics").mkdir()

    def _tarball(self) -> Path:
        tree = self.top / "linux-6.12"
        shutil.copytree(ROOT / "tests/fixtures/fakelinux", tree)
        with (tree / "Makefile").open("a") as file:
            file.write(TRACE.format(seen=self.seen))
        path = self.top / "linux-6.12.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            archive.add(tree, tree.name)
        return path

    def add_user(self) -> None:
        subprocess.run(["useradd", "--system", self.user], check=True)

    def run(self, book: str, *options: str, **variables: Any) -> Run:
        become = {"ansible_become_exe": str(self.sudo)}
        groups = {
            "all": {"vars": {**LOCAL, **become}},
            "kernel_builders": {"hosts": {"builder": {}}, "vars": self.variables},
        }
        inventory = self.top / "hosts.json"
        inventory.write_text(json.dumps(groups))
        return run_playbook(
            ROOT / "playbooks" / book, *options, inventory=inventory, variables=variables
        )

    def must_run(self, book: str, *options: str, **variables: Any) -> Run:
        done = self.run(book, *options, **variables)
        assert done.status == 0, done.output
        return done

    def not_of_the_user(self) -> list[str]:
        uid = pwd.getpwnam(self.user).pw_uid
        places = [self.work, *self.work.rglob("*")]
        return [str(place) for place in places if place.lstat().st_uid != uid]

    def built_by(self) -> set[str]:
        return {path.name.removeprefix("by-") for path in self.seen.iterdir()}


@pytest.fixture
def name() -> Iterator[str]:
    """Of a user who does not exist, neither before nor after the test."""
    made = f"oslab-{uuid.uuid4().hex[:8]}"
    yield made
    subprocess.run(["userdel", "--remove", made], capture_output=True, check=False)


@pytest.fixture
def machine(name: str) -> Iterator[Machine]:
    lacking = [program for program in ("aptly", "setpriv", "useradd") if not shutil.which(program)]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not installed")
    # Nobody else may enter pytest's directories; and gpg-agent's socket has a short path.
    with tempfile.TemporaryDirectory(prefix="oslab") as directory:
        top = Path(directory)
        top.chmod(0o755)
        made = Machine(top, name)
        yield made
        home = str(made.root / "gnupg")
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def test_a_preview_before_the_user_is_there(machine: Machine) -> None:
    preview = machine.must_run("build.yml", "--check")
    assert preview.recap("changed") > 0
    assert not machine.state.exists()
    with pytest.raises(KeyError):
        pwd.getpwnam(machine.user)


def test_nothing_of_a_build_is_roots(machine: Machine) -> None:
    machine.must_run("build.yml")
    made = pwd.getpwnam(machine.user)
    assert made.pw_shell == "/usr/sbin/nologin"
    # A user may be called as a program that has /var/lib/NAME.
    assert made.pw_dir == f"/var/lib/oslab-kernel-{machine.user}"
    assert Path(made.pw_dir).stat().st_mode & 0o777 == 0o700
    assert machine.not_of_the_user() == []
    assert machine.built_by() == {str(made.pw_uid)}
    # What decides whether a build is published is root's, and so is what is published.
    assert (machine.state / "build-stamp.json").stat().st_uid == 0
    for place in (machine.state, machine.root / "public", *machine.top.glob("metrics/*")):
        assert place.stat().st_uid == 0, place
    (image,) = machine.root.glob("public/pool/**/linux-image-6.12.0-49-usac1_*.deb")
    assert image.stat().st_uid == 0
    again = machine.must_run("build.yml")
    assert again.recap("changed") == 0, again.output
    # Without the stamp, each role looks for itself.
    (machine.state / "build-stamp.json").unlink()
    again = machine.must_run("build.yml")
    assert again.recap("changed") == 0, again.output
    assert machine.not_of_the_user() == []


def test_what_is_roots_is_refused_before_anything_is_touched(machine: Machine) -> None:
    earlier = machine.work / "trees/file-6.12/linux"
    earlier.mkdir(parents=True)

    def refused(message: str, *options: str, **variables: Any) -> None:
        done = machine.run("build.yml", *options, **variables)
        assert done.status != 0
        assert message in words(done.output), done.output
        assert [path.name for path in machine.work.rglob("*")] == ["trees", "file-6.12", "linux"]
        assert not (machine.state / "build-stamp.json").exists()

    given = f"run 'chown -R {machine.user}: {machine.work}'"
    refused(f"source_workdir {machine.work} belongs to root, ")
    with pytest.raises(KeyError):
        pwd.getpwnam(machine.user)
    machine.add_user()
    refused(given, "--tags", "config")
    shutil.chown(machine.work, machine.user)
    refused(f"{machine.work}/trees belongs to root, ")
    # Who would be root all the same.
    shutil.rmtree(machine.work)
    machine.work.mkdir()
    shutil.chown(machine.work, machine.user)
    done = machine.run("build.yml", ansible_become_user="root")
    assert f"build_user is {machine.user}, but on builder the build would run as root" in words(
        done.output
    )
    assert list(machine.work.iterdir()) == []


@pytest.mark.long
def test_a_rebuild_is_the_users_too(machine: Machine) -> None:
    machine.must_run("build.yml", "--skip-tags", "publish")
    (document,) = machine.work.glob("store/*/*.buildinfo")
    built = document.parent.name
    # What is there is identical to itself.
    for earlier in (
        {"source_workdir": str(machine.work)},
        {"build_store": str(machine.work / "store")},
        {"source_tree": str(machine.state / "rebuild/../build/trees/file-6.12/linux")},
        {"build_ccache": True},
    ):
        done = machine.run("rebuild.yml", build_published=str(document), **earlier)
        assert "A rebuild uses nothing of an earlier build" in words(done.output), earlier
    done = machine.must_run("rebuild.yml", build_published=str(document))
    assert f"identical: all 3 packages of {built[:12]}" in words(done.output)
    uid = pwd.getpwnam(machine.user).pw_uid
    assert machine.built_by() == {str(uid)}
    (place,) = (machine.state / "rebuild").iterdir()
    roots = {path.name for path in place.rglob("*") if path.lstat().st_uid != uid}
    # Which say what was built.
    assert roots <= {"attestation.json", "build-stamp.json"}
    again = machine.must_run("rebuild.yml", build_published=str(document))
    assert again.recap("changed") == 0, again.output


@pytest.mark.long
def test_the_key_of_the_modules_reaches_the_user(machine: Machine) -> None:
    pem = signing_keys.pair(machine.top / "keys")
    (machine.top / "keys").chmod(0o700)
    machine.must_run("build.yml", "--skip-tags", "publish", build_module_signing_key=str(pem))
    (record,) = machine.work.glob("store/*/build.json")
    assert json.loads(record.read_text())["manifest"]["signers"]["modules"]
    assert machine.not_of_the_user() == []
    secrets = signing_keys.secrets(pem)
    for path in machine.top.rglob("*"):
        if path.is_file() and path.parent != pem.parent:
            assert not any(secret in path.read_bytes() for secret in secrets), path


@needs_bwrap
@pytest.mark.long
def test_root_makes_the_build_root_and_the_user_enters_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's file system stands for what mmdebstrap makes, as in the tests of the role."""
    machine.add_user()
    machine.variables.update(fake_builder.have_mmdebstrap(machine.top, monkeypatch))
    machine.must_run(str(fake_builder.root_play(machine.top / "root.json")))
    (tree,) = machine.state.glob("roots/*/tree")
    assert tree.stat().st_uid == 0
    fake_builder.stand_in(tree)
    machine.must_run("build.yml", "--skip-tags", "dependencies,publish")
    assert machine.not_of_the_user() == []
    (record,) = machine.work.glob("store/*/build.json")
    assert json.loads(record.read_text())["manifest"]["build_root"]["id"] == tree.parent.name
    assert [path.lstat().st_uid for path in machine.state.iterdir() if path != machine.work] == [0]
