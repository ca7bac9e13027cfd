# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository as apt-get sees it: signed, several builds, nothing tampered with, never half."""

from __future__ import annotations

import bz2
import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description

ONE, TWO = "6.12.0-oslab1.ffffffffffff", "6.12.0-oslab1.0123456789ab"
NAME = "linux-image-test"
INDEX = "dists/stable/main/binary-amd64"
SEED = int(os.environ.get("OSLAB_SEED") or random.randrange(1 << 32))

PLAY = [
    {
        "name": "Publish",
        "hosts": "kernel_builders",
        "gather_facts": False,
        "tasks": [
            {
                "name": f"Run {part}",
                "ansible.builtin.include_role": {
                    "name": "oslab.kernel.publish",
                    "tasks_from": part,
                },
            }
            for part in ("preflight", "repository/key.yml", "repository/publish.yml")
        ],
    }
]


def replace(path: Path, content: bytes):
    path.unlink()  # it is linked into other directories
    path.write_bytes(content)


def run_program(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def versions(client):
    """Of the package, as apt-get knows them after an update."""
    output = client.get("indextargets", "--format", "$(FILENAME)", "Created-By: Packages").stdout
    text = "".join(Path(name).read_text() for name in output.split() if Path(name).is_file())
    return [line.split()[1] for line in text.splitlines() if line.startswith("Version: ")]


def a_stop_stays(playbook, root, steps):
    """Who has published the same build again, or changes its steps, does not lift the stop."""

    def is_stopped():
        text = (root / "public/oslab-kernel.json").read_text()
        return json.loads(text)["rollout"]["stopped"]

    assert is_stopped()
    given = {"publish_root": str(root), "publish_rollout": steps}
    for variables, stopped in (({}, True), ({"publish_rollout_stopped": False}, False)):
        run = playbook("rollout.yml", **given, **variables)
        assert run.status == 0, run.output
        assert is_stopped() is stopped


def test_the_role_signs_with_the_users_key_and_keeps_builds_to_a_limit(
    repository, playbook, client_of, serve, short_path, tmp_path
):
    book = tmp_path / "play.json"
    book.write_text(json.dumps(PLAY))
    root = short_path / "role"

    def publish(version):
        file = Path(repository.package(version))
        listed = file.with_name(f"{version}.files.json")
        listed.write_text("{}")
        described = hashlib.sha256(file.read_bytes()).hexdigest()
        run = playbook(
            str(book),
            publish_root=str(root),
            publish_server="none",
            publish_gpg_key_file=str(repository.key.secret(short_path / "secret.asc")),
            publish_keep_builds=1,
            publish_build={
                "release": NAME.removeprefix("linux-image-"),
                "version": version,
                "build_id": version[-12:] * 5 + "0123",
                "store": str(file.parent),
                "packages": {NAME: {"file": file.name, "sha256": described, "size": 1}},
                "files": {
                    "file": listed.name,
                    "sha256": hashlib.sha256(listed.read_bytes()).hexdigest(),
                },
            },
        )
        assert run.status == 0, run.output
        return run

    publish(ONE)
    publish(TWO)
    public = root / "public"
    assert json.loads((public / "oslab-kernel.json").read_text())["version"] == TWO
    assert [path.stem for path in (public / "builds").iterdir()] == [TWO[-12:]]
    with serve(public) as url:
        # The user's key, and no other, is what clients need.
        client = client_of(url, repository.key.public)
        assert client.get("update").returncode == 0
        assert versions(client) == [TWO]
        got = client.get("download", f"{NAME}={TWO}")
        assert got.returncode == 0, got.stdout
        assert client.downloads() == [f"{NAME}_{TWO}_amd64.deb"]
    before = {path: path.read_bytes() for path in public.glob("oslab-kernel.*")}
    assert sorted(path.name for path in before) == [
        "oslab-kernel.asc",
        "oslab-kernel.json",
        "oslab-kernel.json.asc",
    ]
    again = publish(TWO)
    assert again.recap("changed") == 0, again.output
    assert {path: path.read_bytes() for path in public.glob("oslab-kernel.*")} == before
    # The key that is published is enough to check the description.
    signer, text = description.check_signature(
        run_program,
        (public / "oslab-kernel.json.asc").read_bytes(),
        (public / "oslab-kernel.asc").read_text(),
    )
    assert signer == repository.key.fingerprint
    assert text.encode() == (public / "oslab-kernel.json").read_bytes()
    described, rollout = description.parse(text)
    assert described["files"]["file"] == f"builds/{TWO[-12:]}.json"
    assert rollout.steps == ()
    # The rollout is stopped without a build, and its clock goes on.
    stop = {"publish_root": str(root), "publish_rollout_stopped": True}
    steps = [{"percent": 5, "after_hours": 0}, {"percent": 100, "after_hours": 2.5}]
    for changes in (1, 0):
        run = playbook("rollout.yml", **stop, publish_rollout=steps)
        assert run.status == 0, run.output
        assert run.recap("changed") == changes, run.output
    text = description.check_signature(
        run_program, (public / "oslab-kernel.json.asc").read_bytes(), repository.key.public
    )[1]
    later, stopped = description.parse(text)
    assert (stopped.stopped, stopped.started) == (True, rollout.started)
    assert stopped.steps == ((500, 0), (10_000, 9000))
    assert later["date"] > described["date"]
    same = ("build_id", "packages", "index_sha256", "index_date", "files")
    assert [later[name] for name in same] == [described[name] for name in same]
    publish(TWO)
    a_stop_stays(playbook, root, steps)
    subprocess.run(["gpgconf", "--homedir", str(root / "gnupg"), "--kill", "all"], check=False)


def resigned(served, other):
    other.sign(served / "dists/stable/Release")


def no_signature(served, other):
    (served / "dists/stable/InRelease").unlink()
    (served / "dists/stable/Release.gpg").unlink()


def changed_release(served, other):
    path = served / "dists/stable/InRelease"
    replace(path, path.read_bytes().replace(b"Origin: oslab-kernel", b"Origin: oslab-Kernel"))


def changed_indexes(served, other):
    for path in (served / INDEX).rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            for pack, unpack in ((gzip.compress, gzip.decompress), (bz2.compress, bz2.decompress)):
                with contextlib.suppress(OSError, EOFError):
                    data = pack(unpack(data).replace(b"Installed-Size: 7", b"Installed-Size: 8"))
            replace(path, data.replace(b"Installed-Size: 7", b"Installed-Size: 8"))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (resigned, "NO_PUBKEY"),
        (no_signature, "is not signed"),
        (changed_release, "BADSIG"),
        (changed_indexes, "Hash Sum mismatch|unexpected size"),
    ],
)
def test_a_tampered_index_is_refused(
    repository, other_key, client_of, serve, tamper, message, tmp_path
):
    repository.publish(repository.package(ONE))
    served = tmp_path / "served"
    shutil.copytree(repository.public, served, symlinks=True)
    tamper(served, other_key)
    with serve(served) as url:
        client = client_of(url, repository.key.public)
        update = client.get("update")
        assert update.returncode != 0
        assert re.search(message, update.stdout), update.stdout
        assert client.get("download", NAME).returncode != 0
        assert client.downloads() == []


def test_a_tampered_package_is_refused(repository, client_of, serve):
    repository.publish(repository.package(ONE))
    (package,) = repository.public.rglob("*.deb")
    data = bytearray(package.read_bytes())
    data[-1] ^= 1
    with serve(repository.public) as url:
        client = client_of(url, repository.key.public)
        assert client.get("update").returncode == 0
        replace(package, bytes(data))
        got = client.get("download", f"{NAME}={ONE}")
        assert got.returncode != 0
        assert "Hash Sum mismatch" in got.stdout
        assert [name for name in client.downloads() if name.endswith(".deb")] == []


def test_an_update_at_any_moment_sees_the_old_or_the_new(repository, client_of, serve):
    # Each publication takes the build before out again: nothing but one may be seen.
    repository.publish(repository.package("0"), keep_builds=1)
    done = threading.Event()
    published: list[dict[str, Any]] = []

    def publish():
        while not done.is_set():
            file = repository.package(str(len(published) + 1))
            published.append(repository.publish(file, keep_builds=1))

    def wait_for_three():
        wanted, deadline = len(published) + 3, time.monotonic() + 10
        while len(published) < wanted and time.monotonic() < deadline and len(seen) % 2:
            time.sleep(0.02)

    def different(seen):
        return len({version for found in seen for version in found})

    thread = threading.Thread(target=publish)
    seen: list[Any] = []
    with serve(repository.public, before_index=wait_for_three) as url:
        client = client_of(url, repository.key.public)
        thread.start()
        # As long as it takes a busy machine to publish a few; the time is an end, no measure.
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and (len(seen) < 8 or different(seen) < 3):
            # As a host whose lists are of long ago.
            for path in (client.root / "lists").glob("*_*"):
                path.unlink()
            update = client.get("update")
            if update.returncode != 0:
                break
            seen.append(versions(client))
        done.set()
        thread.join()
    assert update.returncode == 0, update.stdout
    assert all("failed" not in outcome for outcome in published)
    assert all(len(found) == 1 for found in seen)
    assert different(seen) >= 3


def test_two_at_once_wait_for_each_other(repository, client_of, serve):
    files = [repository.package(version) for version in (ONE, TWO)]
    runs = [repository.start(file) for file in files]
    outcomes = [json.loads(run.communicate(timeout=60)[0].splitlines()[-1]) for run in runs]
    assert all(outcome["changed"] for outcome in outcomes)
    with serve(repository.public) as url:
        client = client_of(url, repository.key.public)
        assert client.get("update").returncode == 0
        assert sorted(versions(client)) == [TWO, ONE]


def test_builds_of_other_builders_are_kept_whatever_the_limit(repository):
    versions = ["1.alice", "1.bob", "2.bob", "3.bob"]
    files = [repository.package(version) for version in versions]
    described = {"kernel": "alice", "version": "1.alice", "suite": "stable", "component": "main"}

    def publish(file, kernel, rank):
        outcome = repository.publish(file, keep_builds=1, kernel=kernel, rank=rank)
        assert "failed" not in outcome, outcome
        return outcome["removed"]

    assert publish(files[0], "alice", "first") == []
    (repository.public / "oslab-kernel.json").write_text(json.dumps(described))
    assert [publish(file, "bob", "other") for file in files[1:]] == [[], ["1.bob"], ["2.bob"]]
    # In another suite hosts would find another index.
    outcome = repository.publish(files[3], kernel="bob", rank="other", distribution="testing")
    assert "publish_suite is testing, and that of alice there is stable" in outcome["msg"]
    # An only builder takes the place of the first one.
    assert publish(files[3], "bob", "only") == ["1.alice"]


def test_who_holds_the_repository_is_named(repository):
    file = repository.package(ONE)
    with (repository.root / "publish.lock").open("w") as stream:
        stream.write("process 77 on builder, since today, with 6.12.0-oslab1.0")
        stream.flush()
        fcntl.flock(stream, fcntl.LOCK_EX)
        outcome = repository.publish(file, lock_timeout=0)
    assert outcome["failed"]
    assert "being published into by process 77 on builder" in outcome["msg"]
    # What the dead leave behind is no obstacle.
    assert repository.publish(file)["changed"]


def test_killed_at_random_moments_the_old_is_served_and_the_next_run_finishes(
    repository, client_of, serve
):
    moments = random.Random(SEED)
    print(f"OSLAB_SEED={SEED}")
    repository.publish(repository.package("0"))
    started = time.monotonic()
    repository.publish(repository.package("1"))
    seconds = time.monotonic() - started
    expected = ["0", "1"]
    with serve(repository.public) as url:
        client = client_of(url, repository.key.public)
        for number in range(2, 7):
            file = repository.package(str(number))
            run = repository.start(file)
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(timeout=moments.uniform(0.1, seconds))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            update = client.get("update")
            assert update.returncode == 0, update.stdout
            assert sorted(versions(client)) in (expected, [*expected, str(number)])
            outcome = repository.publish(file)
            assert "failed" not in outcome, outcome
            expected.append(str(number))
            assert client.get("update").returncode == 0
            assert sorted(versions(client)) == expected
            assert client.get("download", f"{NAME}={number}").returncode == 0


@pytest.mark.parametrize("moment", [1, 4, 9, "clean", "write_order"])
def test_killed_while_it_brings_the_new_to_where_it_is_served(repository, client_of, serve, moment):
    repository.publish(repository.package("0"))
    function = {
        "clean": "_repository.publish.clean",
        "write_order": "_repository.retention.write_order",
    }
    kill = (
        function.get(moment, "_repository.publish.place"),
        moment if moment not in function else 1,
    )
    file = repository.package("1")
    assert repository.publish(file, kill=kill) == {}
    with serve(repository.public) as url:
        client = client_of(url, repository.key.public)
        update = client.get("update")
        assert update.returncode == 0, update.stdout
        assert sorted(versions(client)) == (["0", "1"] if moment in function else ["0"])
        repository.publish(file)
        assert client.get("update").returncode == 0
        assert sorted(versions(client)) == ["0", "1"]
