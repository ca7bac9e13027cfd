# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module against a mirror on this machine that misbehaves in every way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors
from ansible_collections.oslab.kernel.tests.lib.kernel_mirror import LISTING, TARBALL

ROOT = Path(__file__).resolve().parents[4]


pytestmark = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are needed"
)

LEFT = [TARBALL, f"{TARBALL}.proof.json"]


@dataclass
class World:
    """Keys and the files signed with them, made once."""

    keys: mirrors.KeyRing
    contents: dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def world():
    keys = mirrors.KeyRing()
    yield World(keys, mirrors.all_contents(keys))
    keys.close()


@pytest.fixture
def server(world):
    serving = mirrors.Server(world.contents)
    yield serving
    serving.close()


class Module:
    """Runs source_fetch as Ansible does: a program of its own, arguments as JSON."""

    def __init__(self, world: World, server: mirrors.Server, tmp_path: Path) -> None:
        self.directory = tmp_path / "downloads"
        self._server, self._home, self._runs = server, tmp_path / "home", 0
        self._home.mkdir()
        keys = world.keys
        self._defaults = {
            "version": mirrors.VERSION,
            "directory": str(self.directory),
            "developer_keys": keys.public(mirrors.DEVELOPER, mirrors.EXPIRED, mirrors.REVOKED),
            "developer_fingerprints": [
                keys.fingerprint(name)
                for name in (mirrors.DEVELOPER, mirrors.EXPIRED, mirrors.REVOKED)
            ],
            "autosigner_key": keys.public(mirrors.AUTOSIGNER),
            "autosigner_fingerprint": keys.fingerprint(mirrors.AUTOSIGNER),
            "timeout": 1,
            "tries": 1,
            "max_size": 16 << 20,
        }

    def start(self, *faults: str, check: bool = False, **changes: object) -> subprocess.Popen:
        arguments = {
            **self._defaults,
            "mirrors": [x if "://" in x else self._server.mirror(x) for x in faults],
            "_ansible_check_mode": check,
            **changes,
        }
        self._runs += 1
        file = self._home.with_name(f"arguments{self._runs}")
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        return subprocess.Popen(
            [
                *(sys.executable, "-m"),
                "ansible_collections.oslab.kernel.plugins.modules.source_fetch",
                str(file),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "collections"),
                "HOME": str(self._home),
                "NO_PROXY": "127.0.0.1",
            },
        )

    def __call__(self, *faults: str, **changes: Any) -> dict[str, Any]:
        output, _ = self.start(*faults, **changes).communicate(timeout=60)
        assert list(self._home.iterdir()) == [], "something of the user's was touched"
        result: dict[str, Any] = json.loads(output)
        return result

    def left(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def fetch(world, server, tmp_path):
    return Module(world, server, tmp_path)


@pytest.fixture
def good(world):
    return world.contents["good"][TARBALL]


def test_a_release_is_proved_by_both_keys_and_kept(fetch, server, world, good):
    got = fetch("good")
    assert got["changed"], got
    assert (fetch.directory / TARBALL).read_bytes() == good
    assert got["signed_by"] == world.keys.fingerprint(mirrors.DEVELOPER)
    assert got["listed_by"] == world.keys.fingerprint(mirrors.AUTOSIGNER)
    assert fetch.left() == LEFT
    asked = len(server.asked)
    again = fetch("good")
    assert len(server.asked) == asked, "a verified tarball needs no network"
    assert (again["changed"], again["cached"]) == (False, True)
    for name in ("path", "sha256", "url", "signed_by", "listed_by"):
        assert again[name] == got[name]


FAULTS = {
    "missing": r"HTTP status 404",
    "error500": r"HTTP status 500",
    "loop": r"HTTP status 302: .*infinite loop",
    "reset": r"ConnectionResetError",
    "truncated": r"ended after \d+ of \d+ bytes",
    "stall": r"no answer within the time-out \(source_timeout\)",
    "drip": r"stalled: \d+ bytes in \d+ seconds \(source_timeout\)",
    "wrongbytes": r"sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}",
    "wrongsignature": r"the signature is not of these contents",
    "nosignature": r"no signature: HTTP status 404",
    "nolisting": r"HTTP status 404",
    "garbage": r"this is not an OpenPGP signature",
    "unknown": r"signed by a key that is not among the given ones",
    "expired": r"signed by a key that has expired",
    "revoked": r"signed by a key that was revoked",
    "forgedlisting": r"sha256sums.asc: signed by a key that is not among the given ones",
    "addedlisting": r"sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}",
    "otherversion": r"sha256sums.asc does not list linux-6.12.tar.xz",
    "bomb": r"unpacks to more than 16777216 bytes: a bomb",
    "dots": r"'linux-6.12/../../oslab-evil' leads out of the tree",
    "absolute": r"'/tmp/oslab-evil' leads out of the tree",
    "linkout": r"the link 'linux-6.12/out' leads out of the tree, to '../../etc'",
    "device": r"'linux-6.12/null' is of a kind that no source tree holds \(character device\)",
}


def explains(fault: str, text: str) -> bool:
    return bool(re.search(FAULTS[fault], text)) or pytest.fail(f"{fault}: {text}")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_its_error_and_leaves_nothing(fetch, fault):
    result = fetch(fault)
    assert result["failed"]
    assert explains(fault, result["msg"])
    assert fetch.left() == []
    assert not Path("/tmp/oslab-evil").exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leads_to_the_next_mirror(fetch, good, fault):
    got = fetch(fault, "good")
    assert got["changed"], got
    assert explains(fault, got["attempts"][0]["error"])
    assert (fetch.directory / TARBALL).read_bytes() == good
    assert fetch.left() == LEFT


def ranges(server, fault):
    """The ranges of the tarball that a mirror was asked for."""
    return [item[2] for item in server.asked if item[:2] == (fault, TARBALL)]


def test_a_broken_download_goes_on_where_it_stopped(fetch, server, good):
    got = fetch("flaky", tries=2)
    assert got["changed"], got
    first, second = ranges(server, "flaky")
    assert first is None
    assert 0 < int(second[len("bytes=") : -1]) <= len(good) // 2
    assert fetch.left() == LEFT


def test_the_next_mirror_goes_on_where_the_last_one_broke_off(fetch, server):
    assert fetch("reset", "good")["changed"]
    assert ranges(server, "good")[0].startswith("bytes=")


def test_a_server_that_knows_no_ranges_starts_again(fetch, server, good):
    assert fetch("norange", tries=2)["changed"]
    assert ranges(server, "norange")[1].startswith("bytes=")
    assert (fetch.directory / TARBALL).read_bytes() == good


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_part_of_something_else_is_not_trusted(fetch, good, size):
    fetch.directory.mkdir()
    (fetch.directory / f".{TARBALL}.part").write_bytes(b"x" * size)
    assert fetch("good", tries=2)["changed"]
    assert (fetch.directory / TARBALL).read_bytes() == good
    assert fetch.left() == LEFT


def test_a_killed_download_is_gone_on_with_by_the_next_run(fetch, server):
    part = fetch.directory / f".{TARBALL}.part"
    running = fetch.start("stall", timeout=20)
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not (fetch.directory / TARBALL).exists()
    running.send_signal(signal.SIGKILL)
    running.wait()
    had = part.stat().st_size
    assert fetch("good")["changed"]
    assert ranges(server, "good") == [f"bytes={had}-"]
    assert fetch.left() == LEFT


def test_two_runs_at_once_download_once(fetch, server):
    runs = [fetch.start("good") for _ in range(2)]
    results = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    assert sorted(item["changed"] for item in results) == [False, True]
    assert [item[1] for item in server.asked].count(LISTING) == 1
    assert len(ranges(server, "good")) == 1
    assert fetch.left() == LEFT


def test_a_damaged_file_is_fetched_again(fetch, good):
    fetch("good")
    (fetch.directory / TARBALL).write_bytes(b"damaged")
    assert fetch("good")["changed"]
    assert (fetch.directory / TARBALL).read_bytes() == good


def test_a_file_without_proof_is_proved_and_not_downloaded(fetch, server, good):
    fetch.directory.mkdir()
    (fetch.directory / TARBALL).write_bytes(good)
    got = fetch("good")
    assert not got["changed"]
    assert got["signed_by"]
    assert ranges(server, "good") == []


def test_a_key_that_no_longer_counts_ends_the_proof(fetch, world):
    fetch("good")
    result = fetch("good", developer_fingerprints=[world.keys.fingerprint(mirrors.STRANGER)])
    assert "which is not one of the pinned keys" in result["msg"]


class TestPinned:
    """With a checksum that is known beforehand."""

    @pytest.fixture
    def sha256(self, world):
        return mirrors.hashlib.sha256(world.contents["good"][TARBALL]).hexdigest()

    def test_a_mirror_without_signatures_will_do(self, fetch, sha256):
        got = fetch("nosignature", sha256=sha256)
        assert got["changed"], got
        assert got["signed_by"] == ""
        assert "accepted by its pinned sha256 alone" in str(got["warnings"])

    def test_unless_a_signature_is_always_wanted(self, fetch, sha256):
        fetch("nosignature", sha256=sha256)
        result = fetch("nosignature", sha256=sha256, signature="always")
        assert explains("nosignature", result["msg"])

    @pytest.mark.parametrize("fault", ["wrongsignature", "unknown", "garbage"])
    def test_what_is_there_must_be_right(self, fetch, sha256, fault):
        assert explains(fault, fetch(fault, sha256=sha256)["msg"])
        assert fetch.left() == []

    def test_other_bytes_signed_by_the_right_key_are_refused(self, fetch):
        result = fetch("good", sha256="0" * 64)
        assert "expected 0000" in result["msg"]
        result = fetch("good", sha256="0" * 64, signature="always")
        assert f"{LISTING} says that the sha256 is" in result["msg"]

    @pytest.mark.parametrize("fault", ["nolisting", "otherversion"])
    def test_the_listing_adds_nothing(self, fetch, server, sha256, fault):
        got = fetch(fault, sha256=sha256)
        assert got["signed_by"], got
        assert not any(LISTING in str(request) for request in server.asked)

    @pytest.mark.parametrize("fault", ["nolisting", "forgedlisting"])
    def test_unless_all_that_is_signed_is_wanted(self, fetch, sha256, fault):
        assert explains(fault, fetch(fault, sha256=sha256, signature="always")["msg"])

    def test_a_tarball_put_there_by_hand_needs_no_mirror(self, fetch, server, sha256, good):
        fetch.directory.mkdir()
        (fetch.directory / TARBALL).write_bytes(good)
        assert fetch("good", sha256=sha256)["cached"]
        assert server.asked == []


def test_without_the_autosigners_key_the_signature_counts(fetch):
    assert fetch("good", autosigner_key="")["listed_by"] == ""
    assert fetch("unknown", "wrongbytes", autosigner_key="", directory=f"{fetch.directory}2")["msg"]


def test_without_any_key_nothing_unpinned_is_taken(fetch):
    result = fetch("good", developer_keys="", autosigner_key="")
    assert "set source_sha256, or give source_developer_keys" in result["msg"]


def test_check_mode_and_the_question_leave_nothing(fetch, server):
    result = fetch("missing", "good", check=True)
    assert (result["changed"], result["url"]) == (True, f"{server.mirror('good')}/v6.x/{TARBALL}")
    assert not fetch("good", state="offered")["changed"]
    assert not fetch("good", state="cached")["cached"]
    assert "source_version 6.12: no mirror" in fetch("missing", state="offered")["msg"]
    assert not fetch.directory.exists()
    fetch("good")
    assert fetch("missing", check=True)["cached"]


def test_a_mirror_may_be_a_directory(fetch, world, tmp_path):
    place = tmp_path / "mirror" / "v6.x"
    place.mkdir(parents=True)
    for name, data in world.contents["good"].items():
        (place / name).write_bytes(data)
    got = fetch(f"file://{tmp_path}/nowhere", f"file://{tmp_path}/mirror")
    assert got["changed"], got
    assert got["attempts"][0]["error"].startswith("no such file")


def test_no_mirror_at_all(fetch):
    assert "Tried: none (the list is empty)" in fetch()["msg"]
