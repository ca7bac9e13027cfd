# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gets a signature, which key makes it, and what stays served when a publication fails."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
ONE, TWO = "6.12.0-oslab1.ffffffffffff", "6.12.0-oslab1.0123456789ab"
NAME = "linux-image-test"
PARTS = ("preflight", "repository/key.yml", "repository/publish.yml")


def play(path, *parts):
    path.write_text(
        json.dumps(
            [
                {
                    "hosts": "kernel_builders",
                    "gather_facts": False,
                    "tasks": [
                        {
                            "ansible.builtin.include_role": {
                                "name": "oslab.kernel.publish",
                                "tasks_from": part,
                            }
                        }
                        for part in parts
                    ]
                    + [{"ansible.builtin.debug": {"var": "publish_result"}}],
                }
            ]
        )
    )
    return str(path)


class Builder:
    """The role publish, with a root of its own and the packages of `repository`."""

    def __init__(self, repository, playbook, root, tmp_path):
        self.repository, self.playbook, self.root = repository, playbook, root
        self.book = play(tmp_path / "publish.json", *PARTS)
        self.info = play(tmp_path / "info.json", "info")
        self.public = root / "public"

    def build(self, version, **changes):
        """As build_result has it."""
        file = Path(self.repository.package(version))
        listed = file.with_name(f"{version}.files.json")
        listed.write_text(f'{{"of": "{version}"}}')
        sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (file, listed)]
        return {
            "release": NAME.removeprefix("linux-image-"),
            "version": version,
            "build_id": version[-12:] * 5 + "0123",
            "store": str(file.parent),
            "packages": {NAME: {"file": file.name, "sha256": sums[0], "size": 1}},
            "files": {"file": listed.name, "sha256": sums[1]},
            **changes,
        }

    def publish(self, build, *options, **variables):
        return self.playbook(
            self.book,
            *options,
            publish_root=str(self.root),
            publish_server="none",
            publish_build=build,
            **variables,
        )

    def read_back(self):
        return self.playbook(self.info, publish_root=str(self.root))

    def signed(self):
        return (self.public / "dists/stable/InRelease").read_bytes()

    def key(self):
        return json.loads((self.public / "oslab-kernel.json").read_text())["key_fingerprint"]


@pytest.fixture
def builder(repository, playbook, short_path, tmp_path):
    made = Builder(repository, playbook, short_path / "role", tmp_path)
    yield made
    for home in made.root.parent.glob("role/gnupg*"):
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def snapshot(directory):
    """Path → content of all files."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def plain(output):
    return " ".join(output.split())


# --- what gets a signature -----------------------------------------------------------------------


def other_bytes(builder, build, path):
    with path.open("ab") as file:
        file.write(b"\n")


def another_name(builder, build, path):
    other = Path(builder.repository.package(TWO, "linux-image-other"))
    build["packages"][NAME]["sha256"] = hashlib.sha256(other.read_bytes()).hexdigest()
    other.replace(path)


def another_list(builder, build, path):
    Path(build["store"], build["files"]["file"]).write_text("{}")


@pytest.mark.parametrize("alter", [other_bytes, another_name, another_list])
def test_what_was_altered_in_the_store_is_not_published(builder, alter):
    assert builder.publish(builder.build(ONE)).status == 0
    before = snapshot(builder.public)
    build = builder.build(TWO)
    alter(builder, build, Path(build["store"], build["packages"][NAME]["file"]))
    run = builder.publish(build)
    assert run.status != 0
    assert "Build again" in run.output
    after = snapshot(builder.public)
    if alter is another_list:  # the packages are right
        assert f"builds/{TWO[-12:]}.json" not in after
        assert after["oslab-kernel.json"] == before["oslab-kernel.json"]
    else:
        assert after == before
    # The right ones are published as ever.
    assert builder.publish(builder.build(TWO)).status == 0


def test_modes_do_not_depend_on_the_umask(builder):
    build = builder.build(ONE)
    before = os.umask(0o077)
    try:
        assert builder.publish(build).status == 0
    finally:
        os.umask(before)
    for path in [builder.public, *builder.public.rglob("*")]:
        if not path.is_symlink():
            wanted = 0o755 if path.is_dir() else 0o644
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    modes = {name: stat.S_IMODE((builder.root / name).stat().st_mode) for name in ("gnupg", ".")}
    assert modes == {"gnupg": 0o700, ".": 0o755}
    assert stat.S_IMODE((builder.root / "published.json").stat().st_mode) == 0o644
    # Whoever can read a lock file can hold the lock.
    assert stat.S_IMODE((builder.root / "publish.lock").stat().st_mode) == 0o600
    assert not (builder.root / "incoming").exists()


# --- which key -----------------------------------------------------------------------------------


def test_a_lost_key_is_not_replaced_unasked(builder):
    build = builder.build(ONE)
    assert builder.publish(build).status == 0
    key, served = builder.key(), snapshot(builder.public)
    home = builder.root / "gnupg"
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    home.rename(builder.root / "gnupg-lost")
    for options in ((), ("--check",)):
        run = builder.publish(build, *options)
        assert run.status != 0
        assert "publish_replace_key" in run.output
        assert key in run.output
    assert snapshot(builder.public) == served
    # Each trace alone is enough.
    for name in ("public/oslab-kernel.json", "public/oslab-kernel.asc", "published.json"):
        (builder.root / name).rename(builder.root / "away")
        assert "publish_replace_key" in builder.publish(build).output
        (builder.root / "away").rename(builder.root / name)
    run = builder.publish(build, publish_replace_key=True)
    assert run.status == 0, run.output
    assert builder.key() != key
    assert builder.publish(build).recap("changed") == 0  # it is the key from now on
    # The old one instead of it: nobody said that this is wanted.
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    shutil.rmtree(home)
    (builder.root / "gnupg-lost").rename(home)
    run = builder.publish(build)
    assert run.status != 0
    assert f"has the key {key}" in plain(run.output)
    assert builder.publish(build, publish_gpg_key=key).status == 0
    assert builder.key() == key


def test_what_is_read_back_belongs_together(builder, other_key):
    assert builder.publish(builder.build(ONE)).status == 0
    run = builder.read_back()
    assert run.status == 0, run.output
    digest = hashlib.sha256(builder.signed()).hexdigest()
    assert f"index_sha256: {digest}" in run.output
    file = builder.public / "oslab-kernel.asc"
    own = file.read_text()
    for content, message in (
        (other_key.public, f"has the key {other_key.fingerprint}"),
        (own + other_key.public, "has 2 keys"),
        ("nothing", "is not a public key"),
    ):
        file.write_text(content)
        run = builder.read_back()
        assert run.status != 0
        assert message in plain(run.output)
    file.write_text(own)
    other_key.sign(builder.public / "dists/stable/Release")
    run = builder.read_back()
    assert run.status != 0
    assert "is not signed by" in plain(run.output)


# --- old indexes ---------------------------------------------------------------------------------


def test_an_old_index_is_refused(repository, client_of, serve, tmp_path):
    from ansible_collections.oslab.kernel.tests.lib import module_process

    repository.publish(repository.package(ONE))
    old = tmp_path / "old"
    shutil.copytree(repository.public, old, symlinks=True)
    published = repository.publish(repository.package(TWO))
    expected = {"sha256": published["index_sha256"], "date": published["index_date"]}

    def compare(directory, **more):
        with serve(directory) as url:
            client = client_of(url, repository.key.public)
            update = client.get("update")
            assert update.returncode == 0, update.stdout  # apt itself does not mind
            arguments = tmp_path / "arguments.json"
            arguments.write_text(json.dumps({"source": str(client.source), **expected, **more}))
            run = module_process.start(
                "apt_index", arguments, environment={"APT_CONFIG": str(client.config)}
            )
            return json.loads(run.communicate(timeout=60)[0].splitlines()[-1])

    found = compare(old)
    assert found["failed"]
    assert "is an old index" in found["msg"]
    assert compare(repository.public)["sha256"] == published["index_sha256"]
    # What apt would install has to be what was rebuilt, whoever signs the index.
    package = f"{NAME}={TWO}"
    sha256 = published["packages"][NAME]["sha256"]
    assert not compare(repository.public, packages={package: sha256}).get("failed")
    found = compare(repository.public, packages={package: "0" * 64})
    assert f"has {package} with sha256 {sha256}, and {'0' * 64} was vouched for" in found["msg"]
    # Somebody has published again meanwhile.
    repository.publish(repository.package("7"))
    assert compare(repository.public)["date"] > published["index_date"]


# --- a disk that is full -------------------------------------------------------------------------


@pytest.fixture
def small_disk(repository):
    """The repository's root on a file system that can be made smaller and larger."""
    root = repository.root
    config = (root / "aptly.conf").read_text()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=755", "tmpfs", str(root)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    repository.public.mkdir()
    (root / "aptly.conf").write_text(config)

    def resize(size):
        options = ["mount", "-o", f"remount,size={size}", str(root)]
        return subprocess.run(options, check=False, capture_output=True).returncode == 0

    yield resize
    subprocess.run(["umount", "--lazy", str(root)], check=True)


def versions(root):
    text = (root / "public/dists/stable/main/binary-amd64/Packages").read_text()
    return sorted(re.findall(r"^Version: (.+)$", text, re.MULTILINE))


def test_a_disk_without_room_is_reported_before_anything_is_added(repository, small_disk):
    repository.publish(repository.package(ONE))
    (repository.root / "filler").write_bytes(bytes(28 << 20))
    before = snapshot(repository.public)
    outcome = repository.publish(repository.package(TWO))
    assert outcome["failed"]
    assert "MiB are needed" in outcome["msg"]
    assert "publish_keep_builds" in outcome["msg"]
    assert snapshot(repository.public) == before
    (repository.root / "filler").unlink()
    assert repository.publish(repository.package(TWO))["changed"]
    assert versions(repository.root) == sorted([ONE, TWO])


FILLING = """#!/bin/sh
case "$*" in *" {command} "*) dd if=/dev/zero of={root}/filler bs=64k 2>/dev/null ;; esac
exec {aptly} "$@"
"""


@pytest.mark.parametrize("command", ["repo add", "publish update"])
def test_a_disk_that_fills_up_leaves_the_old_and_the_next_run_finishes(
    repository, small_disk, client_of, serve, tmp_path, monkeypatch, command
):
    repository.publish(repository.package(ONE))
    tool = tmp_path / "bin" / "aptly"
    tool.parent.mkdir()
    tool.write_text(
        FILLING.format(command=command, root=repository.root, aptly=shutil.which("aptly"))
    )
    tool.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
        outcome = repository.publish(repository.package(TWO))
    assert outcome["failed"]
    assert "Traceback" not in json.dumps(outcome)
    assert f"Free space on the file system of {repository.root}" in outcome["msg"]
    with serve(repository.public) as url:
        client = client_of(url, repository.key.public)
        assert client.get("update").returncode == 0
        assert client.get("download", f"{NAME}={ONE}").returncode == 0
        (repository.root / "filler").unlink()
        assert repository.publish(repository.package(TWO))["changed"]
        assert client.get("update").returncode == 0
        assert client.get("download", f"{NAME}={TWO}").returncode == 0
    assert repository.publish(repository.package(TWO))["changed"] is False


def test_a_read_only_disk(repository, small_disk):
    repository.publish(repository.package(ONE))
    remount = ["mount", "-o", "remount,ro", str(repository.root)]
    subprocess.run(remount, check=True)
    outcome = repository.publish(repository.package(TWO))
    assert outcome["failed"]
    assert "read-only file system" in outcome["msg"]
    assert "dmesg" in outcome["msg"]


# --- docs/how-to/keep-the-signing-key.md ---------------------------------------------------------


def documented(name, old, new, fingerprint=""):
    """A block of commands, with another GnuPG home."""
    text = (ROOT / "docs/how-to/keep-the-signing-key.md").read_text()
    (block,) = re.findall(rf"^ *```sh\n *# {name}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    assert old in block
    return block.replace(old, str(new)).replace("FINGERPRINT", fingerprint)


def test_the_commands_for_the_key(repository, client_of, serve, short_path, tmp_path):
    home, key = "/var/lib/oslab-kernel/repository/gnupg", repository.key
    work = tmp_path / "work"
    work.mkdir()

    def run(name, old, new):
        script = documented(name, old, new, key.fingerprint)
        subprocess.run(["bash", "-euc", script], cwd=work, check=True, timeout=60)

    def update_with(public_key):
        with serve(repository.public) as url:
            return client_of(url, public_key).get("update")

    run("backup", home, key.home)
    secret = work / "oslab-kernel-secret.asc"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert (work / "oslab-kernel-revocation" / f"{key.fingerprint}.rev").is_file()

    restored = short_path / "restored"
    run("restore", home, restored)
    file = repository.package(ONE)
    outcome = repository.publish(file, gpg_home=str(restored))
    assert outcome["changed"], outcome
    assert update_with(key.public).returncode == 0

    run("expire", home, key.home)
    dated = key.gpg("--armor", "--export", key.fingerprint)
    assert dated != key.public
    assert re.search(r"^pub:[^:]*:255:22:[^:]*:\d+:\d+:", key.gpg("--with-colons", "-k"), re.M)
    assert repository.publish(file)["changed"] is False
    assert update_with(dated).returncode == 0
    key.gpg("--passphrase", "", "--quick-set-expire", key.fingerprint, "seconds=1")
    time.sleep(2)
    update = update_with(key.gpg("--armor", "--export", key.fingerprint))
    assert update.returncode != 0
    assert "EXPKEYSIG" in update.stdout
    run("expire", home, key.home)  # the date is moved

    run("move away", home, key.home)
    old = short_path / "key-old"
    assert old.is_dir()
    run("revoke", f"{home}-old", old)
    update = update_with((work / "oslab-kernel-revoked.asc").read_text())
    assert update.returncode != 0
    assert "REVKEYSIG" in update.stdout
    for each in (restored, old):
        subprocess.run(["gpgconf", "--homedir", str(each), "--kill", "all"], check=False)


# --- attestations and signatures -----------------------------------------------------------------


def test_attestations_of_the_build_are_published(builder, tmp_path):
    from ansible_collections.oslab.kernel.tests.lib import openpgp_keys

    made = tmp_path / "attestations"
    made.mkdir()
    build = builder.build(ONE)
    sums = {NAME: build["packages"][NAME]["sha256"]}
    file = builder.public / f"builds/{build['build_id'][:12]}.attestations.json"
    assert builder.publish(build).status == 0
    signed = (builder.public / "oslab-kernel.json.asc").read_bytes()
    assert not file.exists()
    with openpgp_keys.keys("ada") as (ada,):
        mine = ada.attest(build["build_id"], sums)
        (made / "mine.asc").write_text(mine)
        (made / "other.asc").write_text(ada.attest("9" * 64, sums))
        (made / "notes.txt").write_text("nothing")
    run = builder.publish(build, publish_attestations=str(made))
    assert run.status == 0, run.output
    assert json.loads(file.read_text()) == {"schema": 1, "attestations": [mine]}
    # They are no part of what the builder signs.
    assert (builder.public / "oslab-kernel.json.asc").read_bytes() == signed
    again = builder.publish(build, publish_attestations=str(made))
    assert again.recap("changed") == 0, again.output
    for run in (again, builder.read_back()):
        assert run.output.count("BEGIN PGP SIGNED MESSAGE") == 1, run.output
    file.write_text("nonsense")
    assert "attestations.json cannot be used: it is no JSON" in plain(builder.read_back().output)
    assert builder.publish(build).status == 0
    assert not file.exists()


def test_signatures_are_published_and_removed_with_their_build(builder):
    def signed(version):
        build = builder.build(version)
        document = Path(build["store"]) / f"{version}.signatures.json"
        document.write_text("{}")
        checksum = hashlib.sha256(b"{}").hexdigest()
        about = {"file": document.name, "sha256": checksum, "unsigned": {NAME: "b" * 64}}
        return {**build, "signatures": about}

    first = signed(ONE)
    assert builder.publish(first).status == 0
    description = json.loads((builder.public / "oslab-kernel.json").read_text())
    name = f"builds/{first['build_id'][:12]}.signatures.json"
    assert description["signatures"] == {**first["signatures"], "file": name}
    assert (builder.public / name).read_text() == "{}"
    run = builder.publish(signed(TWO), publish_keep_builds=1)
    assert run.status == 0, run.output
    assert not (builder.public / name).exists()
    assert len(list((builder.public / "builds").iterdir())) == 2
