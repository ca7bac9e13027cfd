# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that pulls: what it takes from a repository, and when it begins. Nothing is booted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description, rollout
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys, overlay_host
from ansible_collections.oslab.kernel.tests.lib.overlay_host import IMAGE, RELEASE, VERSION, Overlay
from ansible_collections.oslab.kernel.tests.lib.playbook import COMMAND, ROOT

BUILD = VERSION[-12:] + "0" * 52
LATER = [{"percent": 0.01, "after_hours": 1}, {"percent": 100, "after_hours": 24}]
EXAMPLE = ROOT / "docs/examples/pull/pull.yml"
MEMORY = "var/lib/oslab-kernel/pull.json"
KEPT = "var/lib/oslab-kernel/finish"


def run_program(argv: Any) -> Result:
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


class Published:
    """A repository's directory, with descriptions that a key signs."""

    def __init__(self, repository: Any) -> None:
        self.repository = repository
        self.public: Path = repository.public
        self.made: dict[str, Any] = {}

    def publish(
        self,
        key: Any = None,
        steps: Any = (),
        stopped: bool = False,
        builder: tuple[str, str] = ("", "only"),
        **more: Any,
    ) -> bytes:
        """Returned is the signed description.

        :param builder: its name and rank.
        """
        key = key or self.repository.key
        publication = {
            "release": RELEASE,
            "version": VERSION,
            "build_id": BUILD,
            "packages": {IMAGE: {"sha256": "a" * 64, "size": 1}},
            "installed_size_kib": 1,
            "files": {},
            "manifest": {},
            "suite": "stable",
            "component": "main",
            "key_fingerprint": key.fingerprint,
            "index_sha256": "c" * 64,
            "index_date": 1,
            **more,
        }
        plan = rollout.parse_steps(list(steps))
        now = int(time.time())
        self.made = description.compose(self.made, publication, plan, stopped, now, *builder)
        plain = self.public / "oslab-kernel.json"
        plain.write_bytes(description.encode(self.made))
        signed = description.sign(run_program, plain, str(key.home), key.fingerprint)
        self.serve(signed)
        return signed

    def serve(self, signed: bytes) -> None:
        (self.public / "oslab-kernel.json.asc").write_bytes(signed)


@pytest.fixture
def published(repository: Any) -> Published:
    return Published(repository)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Overlay]:
    try:
        made = Overlay(tmp_path)
    except overlay_host.NotPossibleError as error:
        pytest.skip(str(error))
    made.write("etc/machine-id", f"{'0123456789abcdef' * 2}\n")
    yield made
    made.close()


def test_what_a_host_takes(host: Overlay, published: Published, other_key: Any, serve: Any) -> None:
    key = published.repository.key
    with serve(published.public) as url:

        def pull(**options: Any) -> dict[str, Any]:
            return host.module("pull_info", url=url, public_key=key.public, **options)

        assert "404" in pull()["msg"]
        published.publish(other_key)
        assert "is refused: signed by a key that is not among the given ones" in pull()["msg"]
        first = published.publish()
        published.serve(first.replace(b'"stopped": false', b'"stopped": true'))
        assert "the signature is not of these contents" in pull()["msg"]
        assert not (host.root / MEMORY).exists()
        # A check run remembers nothing.
        published.serve(first)
        assert pull(check=True)["state"] == "due"
        assert not (host.root / MEMORY).exists()
        assert not (host.root / KEPT).exists()
        found = pull()
        assert (found["state"], found["goes_on"], found["changed"]) == ("due", True, False)
        # For the trial boot, which may be without a network.
        (kept,) = (host.root / KEPT).iterdir()
        assert kept.read_bytes() == first
        assert (host.root / KEPT).stat().st_mode & 0o777 == 0o700
        assert found["description"]["release"] == RELEASE
        assert (host.root / MEMORY).stat().st_mode & 0o777 == 0o644
        # The rollout is stopped, and somebody gives out what was signed before.
        published.publish(stopped=True)
        assert pull()["state"] == "stopped"
        published.serve(first)
        assert "older than one that this host has seen" in pull()["msg"]
        published.publish(steps=LATER)
        found = pull()
        assert found["state"] == "waiting"
        assert "the turn of this host comes at 20" in found["reason"]
        assert found["place"] == rollout.place("0123456789abcdef" * 2, BUILD)
        for nothing in (b"", b"{}", b"x" * (2 << 20)):
            published.serve(nothing)
            answer = pull()
            assert answer["failed"], answer
            assert len(answer["msg"]) < 500


def test_a_host_chooses_one_of_several_kernels(
    host: Overlay, published: Published, serve: Any
) -> None:
    key = published.repository.key.public
    published.publish(builder=("alice", "first"))
    other: dict[str, Any] = {"release": "6.12.0-bob", "build_id": "b" * 64}
    published.publish(builder=("bob", "other"), steps=LATER, **other)
    with serve(published.public) as url:

        def pull(**options: Any) -> dict[str, Any]:
            return host.module("pull_info", url=url, public_key=key, **options)

        found = pull(kernel_from="bob")
        assert (found["description"]["release"], found["state"]) == ("6.12.0-bob", "waiting")
        for chosen in ({}, {"kernel_from": "alice"}):
            found = pull(**chosen)
            assert (found["description"]["release"], found["state"]) == (RELEASE, "due")
        output = playbook(host, url, key, kernel_from="bob")
        assert "grows: the turn of this host comes at" in output
        assert output.endswith("STATUS 0")
        output = playbook(host, url, key, kernel_from="carol")
        assert "it has no kernel of carol (kernel_from), but of alice, bob" in output
        assert not output.endswith("STATUS 0")


def test_a_build_that_too_few_vouch_for(host: Overlay, published: Published, serve: Any) -> None:
    published.publish(steps=[{"percent": 100, "after_hours": 0}])
    file = published.public / f"builds/{BUILD[:12]}.attestations.json"
    file.parent.mkdir()
    with openpgp_keys.keys("ada", "bob") as (ada, bob), serve(published.public) as url:
        asked = {"required_rebuilds": 1, "rebuild_keys": [ada.public]}

        def pull(**options: Any) -> dict[str, Any]:
            key = published.repository.key.public
            return host.module("pull_info", url=url, public_key=key, **options)

        def attest(key: Any, checksum: str) -> None:
            text = key.attest(BUILD, {IMAGE: checksum})
            file.write_text(json.dumps({"schema": 1, "attestations": [text]}))

        assert "attestations" not in pull()["description"]
        refused = "is refused: this host asks for 1 known keys"
        assert refused in pull(**asked)["msg"]  # none are published
        attest(bob, "a" * 64)
        assert refused in pull(**asked)["msg"]
        attest(ada, "b" * 64)
        assert refused in pull(**asked)["msg"]
        attest(ada, "a" * 64)
        found = pull(**asked)
        assert found["goes_on"]
        assert len(found["description"]["attestations"]) == 1
        file.write_text("nonsense")
        assert "attestations.json: it is no JSON" in pull(**asked)["msg"]
        # The playbook asks before it takes the lock.
        host.write("etc/oslab-kernel/repository.asc", published.repository.key.public)
        variables = {"install_required_rebuilds": 1, "install_rebuild_keys": [ada.public]}
        attest(bob, "a" * 64)
        key_file = "/etc/oslab-kernel/repository.asc"
        output = playbook(host, url, key_file, **variables)
        assert "this host asks for 1 known keys" in output
        assert "Acquire the deployment lock" not in output
        assert not output.endswith("STATUS 0")
        attest(ada, "a" * 64)
        output = playbook(host, url, key_file, **variables)
        assert "Acquire the deployment lock" in output
        assert "asks for 1 known keys" not in output
        # It waits, and nobody has to vouch yet.
        published.publish(steps=LATER)
        file.unlink()
        assert pull(**asked)["state"] == "waiting"


def playbook(host: Overlay, url: str, key: str, **variables: Any) -> str:
    """playbooks/pull.yml, which the host runs on itself; its output, with the exit status."""
    given = {"pull_repository_url": url, "pull_repository_key": key, **variables}
    done = host.run(
        *(*COMMAND, f"--inventory={EXAMPLE}", f"{ROOT}/playbooks/pull.yml"),
        *("--extra-vars", json.dumps(given)),
        ANSIBLE_CONFIG=f"{ROOT}/ansible.cfg",
        ANSIBLE_COLLECTIONS_PATH=f"{ROOT}/collections",
        ANSIBLE_NOCOLOR="1",
        HOME="/root",
        PATH=f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
    )
    return f"{' '.join(done.stdout.split())} STATUS {done.returncode}"


def test_the_playbook(host: Overlay, published: Published, serve: Any) -> None:
    key = published.repository.key
    host.write("etc/oslab-kernel/repository.asc", key.public)
    with serve(published.public) as url:
        published.publish(steps=LATER)
        output = playbook(host, url, key.public)
        assert "grows: the turn of this host comes at" in output
        assert "changed=0" in output
        assert output.endswith("STATUS 0")
        assert "deployment lock" not in output

        # By a file, and its turn: the lock, the host's state and the checks before anything is
        # changed. The index is not one of the repository: nothing is installed.
        published.publish(steps=[{"percent": 100, "after_hours": 0}])
        output = playbook(host, url, "/etc/oslab-kernel/repository.asc")
        assert "Acquire the deployment lock" in output
        assert "Check that the host can take the kernel" in output
        assert "localhost: the kernel was not confirmed. " in output
        assert "Recover the host" in output
        assert not output.endswith("STATUS 0")
        assert IMAGE not in host.installed()
        assert not (host.root / "var/lib/oslab-kernel/install.json").exists()

        # The run of a timer while another run works on the host.
        lock = {"run": "elsewhere 1 1", "text": "Ada elsewhere", "until": 1e12}
        host.write("run/oslab-kernel.claim", json.dumps(lock), 0o600)
        output = playbook(host, url, key.public)
        assert "the deployment lock is held by Ada elsewhere" in output
        assert "Check that the host can take the kernel" not in output
        assert json.loads((host.root / "run/oslab-kernel.claim").read_text()) == lock


def test_a_scheduled_trial_boot_is_left_alone(
    host: Overlay, published: Published, serve: Any
) -> None:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    image = f"{IMAGE}={VERSION}"

    def scheduled(boot: str) -> None:
        record = {"image": image, "complete": True, "confirmed": False}
        trial = {"image": image, "boot_id": boot, "unwatched": False, "finishes": True}
        record_text = json.dumps({**record, "trial_boot": trial})
        host.write("var/lib/oslab-kernel/install.json", record_text)

    scheduled(boot_id)
    # Of an earlier version; its trial boot still needs it.
    host.write("etc/oslab-kernel/trial-rerun", "secret", 0o700)
    published.publish()
    with serve(published.public) as url:
        output = playbook(host, url, published.repository.key.public)
        assert f"the next boot is the trial boot of {RELEASE}" in output
        assert "changed=0" in output
        assert "Acquire the deployment lock" not in output
        assert output.endswith("STATUS 0")
        assert (host.root / "etc/oslab-kernel/trial-rerun").exists()
        # It came, and nothing confirmed the kernel: a panic, for example.
        scheduled("0" * 36)
        output = playbook(host, url, published.repository.key.public)
        assert "ended here without a confirmation (it was neither confirmed nor" in output
        assert "Acquire the deployment lock" not in output
        assert not output.endswith("STATUS 0")
        assert not (host.root / "etc/oslab-kernel/trial-rerun").exists()
        again = playbook(host, url, published.repository.key.public, install_retry_failed=True)
        assert "Acquire the deployment lock" in again
