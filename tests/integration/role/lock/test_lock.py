# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/lock.yml, and build.yml with a lock, on the fake tree."""

from __future__ import annotations

import hashlib
import lzma
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors
from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder, target

SILENT = {"ansible_connection": "ssh", "ansible_host": "nobody.invalid"}
OURS: dict[str, Any] = {"release": "6.12.0-49-usac1", "oslab": {"schema": 1}}


def words(output: str) -> str:
    return " ".join(output.split())


def share(one: Builder, other: Builder) -> None:
    """Commit, push and pull the lock."""
    shutil.copy(one.lock, other.lock)


def edit(builder: Builder, **sections: dict[str, object]) -> None:
    """Change the lock by hand."""
    found = builder.locked
    for name, values in sections.items():
        found[name].update(values)
    builder.lock.write_text(yaml.safe_dump(found))


def test_from_the_lock_alone_the_same_packages(alice: Builder, bob: Builder) -> None:
    preview = alice.must_run("lock.yml", "--check", "--diff")
    assert preview.recap("changed") > 0
    assert not alice.lock.exists()
    assert not alice.work.exists()
    done = alice.must_run("lock.yml")
    assert f"lock: {alice.lock} is new" in done.output
    assert alice.packages() == {}
    text = alice.lock.read_text()
    again = alice.must_run("lock.yml")
    assert again.recap("changed") == 0, again.output
    assert alice.lock.read_text() == text
    alice.must_run("build.yml")
    assert list(alice.packages()) == [alice.locked["build"]["id"]]

    share(alice, bob)
    bob.targets = {"alpha": SILENT, "gamma": SILENT}
    done = bob.must_run("build.yml")
    assert bob.packages() == alice.packages()
    assert "unreachable=1" not in done.output
    again = bob.must_run("build.yml")
    assert again.recap("changed") == 0, again.output


def test_what_differs_is_named_before_anything_is_touched(alice: Builder, bob: Builder) -> None:
    missing = bob.run("build.yml")
    assert missing.status != 0
    assert "write it with playbooks/lock.yml, or leave build_lock empty" in words(missing.output)
    alice.must_run("lock.yml")
    share(alice, bob)

    def refused(line: str, locked: object, **variables: object) -> str:
        done = bob.run("build.yml", **variables)
        assert done.status != 0, done.output
        text = words(done.output)
        assert f"This is not the build that build_lock {bob.lock} describes: 1 line differs" in text
        assert f"- {line}: locked {locked}, found" in text
        assert "Or write a new lock with playbooks/lock.yml." in text
        assert not bob.work.exists()
        return text

    patch = bob.patch.read_bytes()
    bob.patch.write_bytes(patch.replace(b"user's", b"USER'S"))
    text = refused("files.patches[mine.patch].sha256", hashlib.sha256(patch).hexdigest())
    assert hashlib.sha256(bob.patch.read_bytes()).hexdigest() in text
    bob.patch.write_bytes(patch)

    tarball = bob.tarball.read_bytes()
    bob.tarball.write_bytes(lzma.compress(lzma.decompress(tarball), preset=0))
    refused("source.sha256", alice.locked["source"]["sha256"])
    bob.tarball.write_bytes(tarball)

    gcc = bob.repository.parent / "bin/gcc"
    gcc.parent.mkdir()
    gcc.write_text("#!/bin/sh\necho 'gcc (another) 11.1.0'\n")
    gcc.chmod(0o755)
    bob.path = f"{gcc.parent}:{bob.path}"
    text = refused("environment.toolchain.gcc", alice.locked["environment"]["toolchain"]["gcc"])
    assert "found gcc (another) 11.1.0; install that version on the builder" in text
    gcc.unlink()

    refused("settings.config_options_extra.NR_CPUS", "nothing", config_options_extra={"NR_CPUS": 3})
    refused("settings.patch_sysname", "Usac Linux - 202010856", patch_sysname="Linux")
    edit(bob, files={"tools": {"gone.c": "0" * 64}})
    refused("files.tools.gone.c", "0" * 64)


@pytest.mark.long
def test_what_only_the_tree_tells_is_named_before_anything_is_compiled(
    alice: Builder, bob: Builder
) -> None:
    """As after a merge by hand."""
    alice.must_run("lock.yml")
    share(alice, bob)
    hosts = alice.locked["targets"]["hosts"]
    hosts["beta"]["modules"] = ["nvme_core"]
    edit(bob, targets={"hosts": hosts})
    done = bob.run("build.yml")
    assert done.status != 0
    locked = alice.locked["build"]["config_sha256"]
    assert f"- build.config_sha256: locked {locked}, found" in words(done.output)
    assert bob.packages() == {}
    assert not list(bob.work.glob("trees/*/linux/vmlinux"))


@pytest.mark.long
def test_a_setting_that_nobody_has_set_is_that_of_the_lock(alice: Builder, bob: Builder) -> None:
    more = {"version_extraversion": "-acme1", "config_options_extra": {"NR_CPUS": 3}}
    alice.must_run("lock.yml", **more)
    share(alice, bob)
    bob.variables.pop("source_provider")
    bob.variables.pop("source_version")
    bob.must_run("build.yml")
    assert list(bob.packages()) == [alice.locked["build"]["id"]]
    assert alice.locked["build"]["release"] == "6.12.0-acme1"


@pytest.mark.long
def test_a_new_lock_says_what_changed(alice: Builder) -> None:
    alice.must_run("lock.yml")
    old = alice.locked
    alice.patch.write_text(alice.patch.read_text().replace("user's", "USER'S"))
    text = alice.lock.read_text()
    preview = alice.must_run("lock.yml", "--check", "--diff")
    assert preview.recap("changed") > 0
    new = hashlib.sha256(alice.patch.read_bytes()).hexdigest()
    assert f"+      sha256: {new}" in preview.output
    assert alice.lock.read_text() == text
    done = alice.must_run("lock.yml")
    (patch,) = old["files"]["patches"]
    assert f"lock: files.patches[mine.patch].sha256: {patch['sha256']} → {new}" in done.output
    assert f"lock: build.id: {old['build']['id']} → {alice.locked['build']['id']}" in done.output
    preview = alice.must_run("lock.yml", "--check", "--diff")
    assert preview.recap("changed") == 0, preview.output


@pytest.mark.long
def test_targets_stay_as_the_lock_has_them(alice: Builder, bob: Builder) -> None:
    """On another builder, when the targets show what they run by now."""
    alice.must_run("lock.yml")
    share(alice, bob)
    bob.targets = {
        "alpha": target("CONFIG_NET=y\n" * 12, modules=[], essential_modules=[], **OURS),
        "beta": target(modules=[], essential_modules=[], **OURS),
    }
    bob.must_run("lock.yml")
    assert bob.lock.read_text() == alice.lock.read_text()
    bob.targets["gamma"] = target(modules=["usbhid"], essential_modules=[])
    done = bob.must_run("lock.yml")
    assert "lock: targets.hosts.gamma.modules: nothing → " in done.output
    assert bob.locked["targets"]["base"] == alice.locked["targets"]["base"]


def test_a_lock_of_another_form_is_refused(bob: Builder) -> None:
    bob.lock.write_text("<<<<<<< HEAD\nformat: 1\n")
    done = bob.run("build.yml")
    assert done.status != 0
    assert "write it anew with playbooks/lock.yml" in words(done.output)
    assert not bob.work.exists()
    done = bob.run("lock.yml", build_lock="")
    assert done.status != 0
    assert "build_lock is empty: set it to the lock's file" in words(done.output)


# --- a series -----------------------------------------------------------------------------------


class Mirror:
    """Releases of 6.12, signed, in a directory."""

    def __init__(self, directory: Path, keys: mirrors.KeyRing) -> None:
        self.place, self.keys = directory / "v6.x", keys
        self.place.mkdir(parents=True)
        self.lines = ""
        for name in (mirrors.DEVELOPER, mirrors.AUTOSIGNER):
            (directory / name).write_text(keys.public(name))
        self.variables = {
            "source_provider": "kernel_org",
            "source_mirrors": [directory.as_uri()],
            "source_developer_keys": str(directory / mirrors.DEVELOPER),
            "source_developer_fingerprints": [keys.fingerprint(mirrors.DEVELOPER)],
            "source_autosigner_key": str(directory / mirrors.AUTOSIGNER),
            "source_autosigner_fingerprint": keys.fingerprint(mirrors.AUTOSIGNER),
        }

    def release(self, number: int) -> None:
        version = f"6.12.{number}"
        tar = mirrors.tar_of().replace(b"\nSUBLEVEL = 0\n", f"\nSUBLEVEL = {number}\n".encode())
        tarball = lzma.compress(tar, preset=0)
        (self.place / f"linux-{version}.tar.xz").write_bytes(tarball)
        sign = self.keys.sign(tar, mirrors.DEVELOPER)
        (self.place / f"linux-{version}.tar.sign").write_bytes(sign)
        self.lines += f"{hashlib.sha256(tarball).hexdigest()}  linux-{version}.tar.xz\n"
        listing = self.keys.sign(self.lines.encode(), mirrors.AUTOSIGNER, "--clear-sign")
        (self.place / mirrors.LISTING).write_bytes(listing)


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is needed")
def test_a_fleet_follows_a_series(alice: Builder, bob: Builder, tmp_path: Path) -> None:
    keys = mirrors.KeyRing()
    try:
        mirror = Mirror(tmp_path / "kernel.org", keys)
        series = {**mirror.variables, "source_series": True}
        mirror.release(3)
        mirror.release(2)
        alice.must_run("lock.yml", **series)
        assert alice.locked["source"]["version"] == "6.12.3"
        assert alice.locked["source"]["signed_by"] == keys.fingerprint(mirrors.DEVELOPER)
        mirror.release(4)
        share(alice, bob)
        bob.must_run("build.yml", **series)
        assert list(bob.packages()) == [alice.locked["build"]["id"]]
        done = alice.must_run("lock.yml", **series)
        assert "lock: source.version: 6.12.3 → 6.12.4" in done.output
        assert alice.locked["settings"]["source_version"] == "6.12"
    finally:
        keys.close()
