# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which known keys vouch for a build, and which attestations do not count."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import attestations
from ansible_collections.oslab.kernel.plugins.module_utils._repository.attestations import (
    AttestationsError,
    Build,
)
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys
from ansible_collections.oslab.kernel.tests.lib.openpgp_keys import Key

ID = "1" * 64
SUMS = {"linux-image-6": "a" * 64, "oslab-kernel-tools": "b" * 64}
BUILD = Build(ID, SUMS)


@pytest.fixture(scope="module")
def keys() -> Iterator[list[Key]]:
    with openpgp_keys.keys("ada", "bob", "eve") as made:
        yield made


def run(argv: Any) -> Result:
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def judge(texts: list[str], *known: Key, build: Build = BUILD) -> attestations.Verdict:
    return attestations.judge(run, texts, [key.public for key in known], build)


def test_each_known_key_counts_once(keys: list[Key]) -> None:
    ada, bob, eve = keys
    texts = [ada.attest(ID, SUMS), bob.attest(ID, SUMS), ada.attest(ID, SUMS), eve.attest(ID, SUMS)]
    found = judge(texts, ada, bob)
    assert found.vouching == sorted([ada.fingerprint, bob.fingerprint])
    assert len(found.left_out) == 1
    assert "not among the given ones" in found.left_out[0]
    assert judge(texts[:1], ada, bob).vouching == [ada.fingerprint]
    assert judge(texts).vouching == []
    # A package more than what is published was rebuilt: debug symbols, for example.
    assert judge([ada.attest(ID, {**SUMS, "x-dbg": "c" * 64})], ada).vouching


def test_what_does_not_vouch(keys: list[Key]) -> None:
    ada = keys[0]
    for text, reason in (
        (ada.attest("2" * 64, SUMS), "it is of another build"),
        (ada.attest(ID, SUMS, failed=True), "its result is FAILED"),
        (ada.attest(ID, {**SUMS, "linux-image-6": "c" * 64}), "other checksums of linux-image-6"),
        (ada.attest(ID, {"linux-image-6": "a" * 64}), "other checksums of oslab-kernel-tools"),
        (ada.clearsign("{}\n"), "no statement of a rebuild"),
        (ada.clearsign("no JSON\n"), "no statement of a rebuild"),
        ("nothing", "not a text with an OpenPGP signature"),
        ("x" * (1 << 20), "too large"),
    ):
        found = judge([text], ada)
        assert found.vouching == [], text
        assert reason in found.left_out[0]
    # A build of which nothing is known.
    assert judge([ada.attest(ID, {"a": "b"})], ada, build=Build(ID, {})).vouching == []


def test_what_was_changed_after_it_was_signed(keys: list[Key]) -> None:
    ada = keys[0]
    failed = ada.attest(ID, SUMS, failed=True)
    found = judge([failed.replace('"FAILED"', '"PASSED"')], ada)
    assert found.vouching == []
    assert "the signature is not of these contents" in found.left_out[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"_type": "x"}, "no statement"),
        ({"predicateType": "x"}, "no statement"),
        ({"predicate": []}, "no statement"),
        ({"predicate": {"configuration": 5}}, "another build"),
        ({"predicate": {"configuration": [5, {"name": 5}]}}, "another build"),
        ({"subject": {}}, "other checksums"),
        ({"subject": [5, {"name": 5}, {"name": "linux-image-6", "digest": 5}]}, "other checksums"),
    ],
)
def test_forms_of_a_statement(keys: list[Key], change: dict[str, Any], reason: str) -> None:
    text = keys[0].attest(ID, SUMS)
    statement = json.loads(text[text.index("{") : text.rindex("}") + 1])
    found = judge([keys[0].clearsign(json.dumps({**statement, **change}) + "\n")], keys[0])
    assert found.vouching == []
    assert reason in found.left_out[0]


def test_the_file_of_a_build(keys: list[Key]) -> None:
    ada, bob = keys[:2]
    mine, other = ada.attest(ID, SUMS), bob.attest("2" * 64, SUMS)
    made = attestations.document([other, mine, mine, "nothing"], ID)
    assert made == {"schema": 1, "attestations": [mine]}
    assert attestations.parse(json.dumps(made)) == [mine]
    assert attestations.path(ID) == "builds/111111111111.attestations.json"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "attestations": []}', '{"schema": 1}', "x" * (5 << 20)]
)
def test_what_is_no_such_file(text: str) -> None:
    with pytest.raises(AttestationsError):
        attestations.parse(text)


def test_keys_as_texts_and_as_files(keys: list[Key], tmp_path: Path) -> None:
    ada, bob = keys[:2]
    file = tmp_path / "bob.asc"
    file.write_text(bob.public)
    known = attestations.keyring([ada.public, str(file)])
    assert known.fingerprints == [ada.fingerprint, bob.fingerprint]
    with pytest.raises(AttestationsError, match=r"nowhere\.asc cannot be read: No such file"):
        attestations.keyring([str(tmp_path / "nowhere.asc")])
    for wrong in (ada.public + bob.public, "-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        with pytest.raises(AttestationsError, match="key 0 is"):
            attestations.keyring([wrong])


def test_a_refusal_says_what_to_do(keys: list[Key]) -> None:
    ada, bob = keys[:2]
    found = judge([ada.attest(ID, SUMS), bob.attest("2" * 64, SUMS)], ada, bob)
    assert attestations.refusal(found, 1, ID, "web1") == ""
    text = attestations.refusal(found, 2, ID, "web1")
    assert text.startswith(
        "web1 asks for 2 known keys that vouch for a build (install_required_rebuilds, "
        f"install_rebuild_keys), and 1 ({ada.fingerprint}) vouch for 111111111111. Rebuild it "
    )
    assert "publish_attestations" in text
    assert f"of {bob.fingerprint}: it is of another build" in text
