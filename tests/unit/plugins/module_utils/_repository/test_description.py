# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signed description: when it changes, who signed it, and which one a host takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description
from ansible_collections.oslab.kernel.plugins.module_utils._repository.description import (
    DescriptionError,
    compose,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository.rollout import Rollout, Step

PUBLICATION: dict[str, Any] = {
    "release": "6.12.117-49-usac1",
    "version": "6.12.117-oslab1.0123456789ab",
    "build_id": "0123456789ab" + "0" * 52,
    "packages": {"linux-image-6.12.117-49-usac1": {"sha256": "a" * 64, "size": 5}},
    "installed_size_kib": 7,
    "files": {"file": "builds/0123456789ab.json", "sha256": "b" * 64},
    "gnu_build_id": "",
    "manifest": {"release": "6.12.117-49-usac1", "banner": "¡Bienvenido!"},
    "suite": "stable",
    "component": "main",
    "key_fingerprint": "A" * 40,
    "index_sha256": "c" * 64,
    "index_date": 1_700_000_000,
}
STEPS = (Step(100, 0), Step(10_000, 86_400))
KEY = "A" * 40
NOW = 1_800_000_000


def published(now: int = NOW, steps: Sequence[Step] = STEPS) -> dict[str, Any]:
    return compose({}, PUBLICATION, steps, False, now)


# --- when it changes ---------------------------------------------------------------------------


def test_nothing_changes_by_itself() -> None:
    first = published()
    assert (first["date"], first["rollout"]["started"]) == (NOW, NOW)
    read = json.loads(description.encode(first))
    # Also if what was published is what was read back.
    for publication in (PUBLICATION, read):
        again = compose(read, publication, STEPS, False, NOW + 999)
        assert description.encode(again) == description.encode(first)
    assert compose(read, read, STEPS, True, NOW + 999)["date"] == NOW + 999


def test_the_clock_goes_on_where_the_same_build_is_published_again() -> None:
    first = published()
    for change, stopped in (({"index_sha256": "d" * 64}, False), ({}, True)):
        again = compose(first, {**PUBLICATION, **change}, STEPS, stopped, NOW + 60)
        assert again["rollout"]["started"] == NOW
        assert again["date"] == NOW + 60
    other = compose(first, {**PUBLICATION, "build_id": "f" * 64}, STEPS, False, NOW + 60)
    assert other["rollout"]["started"] == NOW + 60


def test_a_stop_stays_until_somebody_lifts_it() -> None:
    stopped = compose(published(), PUBLICATION, STEPS, True, NOW + 1)
    again = compose(stopped, PUBLICATION, STEPS, None, NOW + 60)
    assert again == stopped
    changed = compose(stopped, {**PUBLICATION, "index_sha256": "d" * 64}, (), None, NOW + 60)
    assert changed["rollout"]["stopped"] is True
    assert compose(stopped, PUBLICATION, STEPS, False, NOW + 60)["rollout"]["stopped"] is False
    other = {**PUBLICATION, "build_id": "f" * 64}
    assert compose(stopped, other, STEPS, None, NOW + 60)["rollout"]["stopped"] is False
    assert compose(stopped, other, STEPS, True, NOW + 60)["rollout"]["stopped"] is True
    assert compose({}, PUBLICATION, STEPS, None, NOW)["rollout"]["stopped"] is False


@pytest.mark.parametrize("now", [NOW, NOW - 86_400])
def test_the_date_grows_whatever_the_clock_does(now: int) -> None:
    first = published()
    stopped = compose(first, PUBLICATION, STEPS, True, now)
    assert stopped["date"] == NOW + 1
    assert compose(stopped, PUBLICATION, STEPS, False, now)["date"] == NOW + 2


def test_a_start_in_the_future_is_none() -> None:
    # The builder's clock was wrong.
    assert compose(published(NOW + 10**6), PUBLICATION, (), False, NOW)["rollout"]["started"] == NOW


@pytest.mark.parametrize("previous", [{}, {"date": "x"}, {"rollout": []}, {"date": True}])
def test_what_was_there_before_may_be_anything(previous: dict[str, Any]) -> None:
    assert compose(previous, PUBLICATION, STEPS, False, NOW)["date"] == NOW


# --- the form ----------------------------------------------------------------------------------


# --- several kernels ---------------------------------------------------------------------------

OTHER_BUILD = {**PUBLICATION, "release": "6.12.117-bob", "build_id": "f" * 64, "version": "6.12-b"}


def add(
    previous: dict[str, Any], kernel: str, rank: str, now: int = NOW, **changes: Any
) -> dict[str, Any]:
    publication = {**(PUBLICATION if kernel == "alice" else OTHER_BUILD), **changes}
    return compose(previous, publication, STEPS, False, now, kernel, rank)


def both() -> dict[str, Any]:
    return add(add({}, "alice", "first"), "bob", "other", NOW + 60, index_date=NOW)


def test_the_first_kernel_is_the_description_itself() -> None:
    found = both()
    alone = add({}, "alice", "first")
    common = ("kernels", "date", "index_date")
    assert {name: value for name, value in found.items() if name not in common} == {
        name: value for name, value in alone.items() if name not in common
    }
    assert (found["kernel"], list(found["kernels"])) == ("alice", ["bob"])
    # A host that knows of no choice reads the same as before.
    old = description.parse(json.dumps(published()))[0]
    assert {**description.parse(json.dumps(found))[0], "date": 0, "index_date": 0} == {
        **{**old, "date": 0, "index_date": 0},
        "kernel": "alice",
    }


def test_a_host_takes_the_kernel_that_it_chooses() -> None:
    text = json.dumps(both())
    for chosen, release in (("", "alice"), ("alice", "alice"), ("bob", "bob")):
        wanted = PUBLICATION if release == "alice" else OTHER_BUILD
        found, plan = description.parse(text, chosen)
        assert {name: found[name] for name in ("release", "build_id", "packages")} == {
            name: wanted[name] for name in ("release", "build_id", "packages")
        }
        # Of the whole repository: nobody gives out an older one of one kernel.
        assert (found["date"], found["index_date"]) == (NOW + 60, NOW)
        assert plan.started == (NOW if release == "alice" else NOW + 60)
        assert "kernels" not in found
    with pytest.raises(
        DescriptionError, match=r"no kernel of carol \(kernel_from\), but of alice, bob"
    ):
        description.parse(text, "carol")
    with pytest.raises(DescriptionError, match=r"of carol .* but of one without a name"):
        description.parse(json.dumps(published()), "carol")


def test_without_a_first_kernel_a_host_has_to_choose() -> None:
    text = json.dumps(add({}, "bob", "other"))
    assert description.parse(text, "bob")[0]["release"] == OTHER_BUILD["release"]
    with pytest.raises(DescriptionError, match=r"set kernel_from \(bob\)"):
        description.parse(text)


def test_a_kernel_is_published_again_beside_the_other() -> None:
    found = both()
    assert add(found, "alice", "first", NOW + 999, index_date=NOW) == found
    assert add(found, "bob", "other", NOW + 999, index_date=NOW) == found
    newer = add(found, "bob", "other", NOW + 999, build_id="e" * 64)
    assert newer["build_id"] == found["build_id"]
    assert newer["kernels"]["bob"]["rollout"]["started"] == NOW + 999


def test_another_builder_becomes_the_first() -> None:
    swapped = add(both(), "bob", "first")
    assert (swapped["kernel"], swapped["release"]) == ("bob", OTHER_BUILD["release"])
    assert list(swapped["kernels"]) == ["alice"]
    # Until the new first one publishes, there is none.
    left = add(both(), "alice", "other")
    assert "kernel" not in left
    assert sorted(left["kernels"]) == ["alice", "bob"]


def test_a_description_of_an_older_version_is_that_of_the_first_builder() -> None:
    old = published()
    assert description.one_kernel(old, "alice", "first")["release"] == PUBLICATION["release"]
    assert description.one_kernel(old, "bob", "other") == {}
    grown = add(old, "bob", "other")
    assert "kernel" not in grown
    assert (grown["release"], list(grown["kernels"])) == (PUBLICATION["release"], ["bob"])
    named = add(grown, "alice", "first", NOW + 60)
    assert (named["kernel"], list(named["kernels"])) == ("alice", ["bob"])
    # The same build: its clock goes on.
    assert named["rollout"]["started"] == NOW


def test_an_only_builder_goes_on_under_another_name() -> None:
    first = add({}, "localhost", "only")
    assert description.one_kernel(first, "build1", "only")["release"] == OTHER_BUILD["release"]
    renamed = add(first, "build1", "only")
    assert (renamed["kernel"], "kernels" in renamed) == ("build1", False)
    # One that is left alone has its own kernel, and not that of the one that is gone.
    alone = description.one_kernel(both(), "bob", "only")
    assert alone["release"] == OTHER_BUILD["release"]
    assert "kernels" not in add(both(), "bob", "only")


def conflict(**changes: Any) -> str:
    given = {**OTHER_BUILD, **changes}
    return description.conflict(both(), "bob", "other", given)


def test_what_cannot_stand_side_by_side() -> None:
    assert conflict() == ""
    assert conflict(version="another") == ""  # of the builder itself
    problem = conflict(release=PUBLICATION["release"])
    assert (
        "the kernel of bob has the release 6.12.117-49-usac1, and so has that of alice" in problem
    )
    assert "Set version_extraversion" in problem
    assert conflict(release=PUBLICATION["release"], version=PUBLICATION["version"]) == ""
    assert "publish_suite is testing, and that of alice there is stable" in conflict(
        suite="testing"
    )
    assert "publish_component is x" in conflict(component="x")
    # An only builder stands beside nobody.
    assert description.conflict(published(), "x", "only", {**PUBLICATION, "version": "1"}) == ""


def test_more_kernels_than_hosts_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "LIMIT", len(description.encode(both())) + (16 << 10))
    description.encode(both())
    with pytest.raises(DescriptionError, match="remove entries from its kernels"):
        description.encode(add(both(), "carol", "other"))


# --- what a host reads -------------------------------------------------------------------------


def test_what_was_made_can_be_read() -> None:
    found, rollout = description.parse(description.encode(published()).decode())
    assert found == published()
    assert rollout == Rollout(STEPS, NOW)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"release": "../../etc"}, "release is"),
        ({"release": "{{ 1 }}"}, "release is"),
        ({"version": "1 -o APT::x=1"}, "version is"),
        ({"build_id": "../x"}, "build_id is"),
        ({"suite": "a b"}, "suite is"),
        ({"date": True}, "date is True"),
        ({"date": -1}, "date is -1"),
        ({"index_date": 1.5}, "index_date is 1.5"),
        ({"packages": {}}, "no packages"),
        ({"packages": {"a b": {}}}, "packages has"),
        ({"packages": {"ab": {"sha256": "a" * 64}}}, "no checksum or size of ab"),
        ({"files": {"file": "../x", "sha256": "b" * 64}}, "names no list of files"),
        ({"files": []}, "names no list of files"),
        ({"manifest": None}, "no manifest"),
        ({"manifest": {"signers": []}}, "signers"),
        ({"rollout": None}, "no rollout"),
        ({"rollout": {"started": NOW, "stopped": 0, "steps": []}}, "no rollout"),
        ({"rollout": {"started": NOW, "stopped": False, "steps": [1]}}, "steps of its rollout"),
    ],
)
def test_another_form_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(DescriptionError, match=problem):
        description.parse(json.dumps({**published(), **change}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "no JSON"), ("[" * 10**5, "no JSON"), ("[]", "no JSON object"), ("NaN", "no JSON")],
)
def test_what_is_no_description(text: str, problem: str) -> None:
    with pytest.raises(DescriptionError, match=problem):
        description.parse(text)


def test_more_than_a_description_can_have() -> None:
    with pytest.raises(DescriptionError, match="larger than"):
        description.parse(" " * (description.LIMIT + 1))


# --- the newest seen ---------------------------------------------------------------------------


def test_an_older_one_is_not_taken_back_in_time(tmp_path: Path) -> None:
    path = tmp_path / "state/pull.json"
    assert description.read_memory(path) == {}
    seen = description.remembered("two", 20, KEY)
    assert description.replayed({}, seen) == ""
    description.remember(path, seen, {})
    assert path.stat().st_mode & 0o777 == 0o644
    memory = description.read_memory(path)
    assert description.replayed(memory, seen) == ""
    older = description.remembered("one", 19, KEY)
    assert "1 s older than one that this host has seen" in description.replayed(memory, older)
    other = description.remembered("2", 20, KEY)
    assert "of the same second" in description.replayed(memory, other)
    assert description.replayed(memory, description.remembered("three", 21, KEY)) == ""
    # A repository with another key has its own dates.
    assert description.replayed(memory, description.remembered("one", 1, "B" * 40)) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"date": "x"}', '{"date": 1, "sha256": 1}'),
        json.dumps({"date": 1, "sha256": "a" * 64}),
    ],
)
def test_a_damaged_memory_is_not_forgotten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pull.json"
    path.write_text(text)
    with pytest.raises(DescriptionError, match="Remove it if you trust"):
        description.read_memory(path)


# --- the signature, by the real programs -------------------------------------------------------


def run_program(argv: Sequence[str]) -> Result:
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


class Key:
    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.home = str(home)
        made = ("--passphrase", "", "--quick-generate-key", "test", "ed25519", "sign", "never")
        self.gpg(*made)
        self.public = self.gpg("--armor", "--export")
        self.fingerprint = description.fingerprint_of(self.public)

    def gpg(self, *arguments: str) -> str:
        return subprocess.run(
            ["gpg", "--batch", "--homedir", self.home, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def close(self) -> None:
        argv = ["gpgconf", "--homedir", self.home, "--kill", "all"]
        subprocess.run(argv, env=dict(os.environ), check=False)


@pytest.fixture(scope="module")
def keys() -> Iterator[tuple[Key, Key]]:
    if not shutil.which("gpg") or not shutil.which("gpgv"):
        pytest.skip("gpg is not installed")
    # gpg-agent's socket has a path of at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="oslab") as name:
        made = Key(Path(name, "one")), Key(Path(name, "two"))
        yield made
        for key in made:
            key.close()


def test_signed_and_read_with_the_public_key_alone(keys: tuple[Key, Key], tmp_path: Path) -> None:
    mine, other = keys
    text = description.encode(published())
    plain, signed = tmp_path / "plain", tmp_path / "signed"
    plain.write_bytes(text)
    message = description.sign(run_program, plain, mine.home, mine.fingerprint)
    assert description.check_signature(run_program, message, mine.public) == (
        mine.fingerprint,
        text.decode(),
    )
    assert not description.is_signed(run_program, signed, text, mine.public)
    signed.write_bytes(message)
    assert description.is_signed(run_program, signed, text, mine.public)
    assert not description.is_signed(run_program, signed, text + b" ", mine.public)
    assert not description.is_signed(run_program, signed, text, other.public)
    with pytest.raises(DescriptionError, match="not among the given ones"):
        description.check_signature(run_program, message, other.public)
    for changed in (
        message.replace(b'"stopped": false', b'"stopped": true '),
        message.replace(b"usac1", b"usac2"),
    ):
        assert changed != message
        with pytest.raises(DescriptionError, match="not of these contents"):
            description.check_signature(run_program, changed, mine.public)
    # What stands around the signed text is nobody's.
    around = b"{}\n" + message + b"{}\n"
    assert description.check_signature(run_program, around, mine.public)[1] == text.decode()
    for nothing in (b"", text, message[:-200]):
        with pytest.raises(DescriptionError):
            description.check_signature(run_program, nothing, mine.public)


def test_one_key_is_pinned(keys: tuple[Key, Key]) -> None:
    mine, other = keys
    for text in ("", "x", mine.public + other.public):
        with pytest.raises(DescriptionError, match="the key of the repository is"):
            description.fingerprint_of(text)


def test_a_key_that_is_not_there_signs_nothing(keys: tuple[Key, Key], tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(DescriptionError, match="was not signed by"):
        description.sign(run_program, tmp_path / "plain", keys[0].home, keys[1].fingerprint)
