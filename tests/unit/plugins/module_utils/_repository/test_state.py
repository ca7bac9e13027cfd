# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key signed. The real gpg is in tests/integration/role/publish."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import openpgp_key
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    state as repository_state,
)

KEY = "A" * 40


def show(argv: Sequence[str]) -> Result:
    """gpg, that finds the key in any file; gpgv, that takes no signature."""
    if argv[0] != "gpg":
        return Result(1)
    return Result(0, f"pub:-:255:22:A:1:::-:::scSC:::::ed25519:::0:\nfpr:::::::::{KEY}:\n")


def signature(fingerprint: str) -> bytes:
    subpackets = b"\x05\x02\0\0\0\0" + b"\x16\x21\x04" + bytes.fromhex(fingerprint)
    body = b"\x04\x01\x16\x08" + len(subpackets).to_bytes(2, "big") + subpackets + bytes(6)
    return bytes([0xC2, len(body)]) + body


def armored(data: bytes, kind: str) -> str:
    text = base64.b64encode(data).decode()
    return f"-----BEGIN PGP {kind}-----\n\n{text}\n-----END PGP {kind}-----\n"


def index(fingerprint: str) -> str:
    return (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
        "Date: Fri, 28 Nov 2025 08:00:01 UTC\n" + armored(signature(fingerprint), "SIGNATURE")
    )


@pytest.fixture
def published(tmp_path: Path) -> Path:
    release = tmp_path / "public/dists/stable"
    release.mkdir(parents=True)
    (release / "InRelease").write_text(index(KEY))
    key = armored(b"\x98\x01\x04", "PUBLIC KEY BLOCK")
    (tmp_path / "public/oslab-kernel.asc").write_text(key)
    known = {"release": "6", "version": "1", "key_fingerprint": KEY}
    (tmp_path / "public/oslab-kernel.json").write_text(json.dumps(known))
    return tmp_path


@pytest.mark.parametrize(
    "description", ["", "{", "[]", "{}", '{"release": "6", "version": "1"}', None]
)
@pytest.mark.parametrize("key", [True, False])
def test_the_key_is_known_by_what_is_left(
    published: Path, description: str | None, key: bool
) -> None:
    file = published / "public/oslab-kernel.json"
    if description is None:
        file.unlink()
    else:
        file.write_text(description)
    if not key:
        (published / "public/oslab-kernel.asc").unlink()
    state = repository_state.read(show, published)
    assert (state.key_fingerprint, state.key_unknown) == (KEY, False)
    assert bool(state.public_key) is key


def test_a_key_that_nothing_tells_of(published: Path) -> None:
    (published / "public/oslab-kernel.json").write_text("")
    (published / "public/oslab-kernel.asc").write_text("")
    (published / "public/dists/stable/InRelease").write_text("")
    state = repository_state.read(show, published)
    assert (state.key_fingerprint, state.key_unknown) == ("", True)
    assert "is no JSON" in state.problem


def test_a_description_that_is_too_large_hides_no_key(published: Path) -> None:
    with (published / "public/oslab-kernel.json").open("r+b") as stream:
        stream.truncate(repository_state.LIMIT + 1)
    state = repository_state.read(show, published)
    assert state.key_fingerprint == KEY
    assert "oslab-kernel.json is larger than" in state.problem


def test_a_first_run_that_was_killed_while_it_signed(tmp_path: Path) -> None:
    staged = tmp_path / "staging/dists/stable"
    staged.mkdir(parents=True)
    (staged / "InRelease").write_text("")
    state = repository_state.read(show, tmp_path)
    assert state.traces and not state.key_unknown
    (staged / "InRelease").write_text(index(KEY))
    assert repository_state.read(show, tmp_path).key_fingerprint == KEY


@pytest.mark.parametrize("size", range(40))
def test_a_signature_that_is_cut_off_names_nobody(size: int) -> None:
    whole = signature(KEY)
    assert openpgp_key.issuer(whole) == KEY
    body = whole[2:][:size]
    assert openpgp_key.issuer(bytes([0xC2, len(body)]) + body) in ("", KEY)
    assert openpgp_key.issuer(whole[:size]) == ""


def test_each_builder_reads_its_own_kernel(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository_state.index, "check_signature", lambda *_: None)
    bob = {"release": "6-bob", "version": "2", "suite": "stable"}
    file = published / "public/oslab-kernel.json"
    known = {**json.loads(file.read_text()), "kernel": "alice", "kernels": {"bob": bob}}
    file.write_text(json.dumps(known))

    def read(name: str, rank: str) -> tuple[str, str]:
        found = repository_state.read(show, published, name, rank)
        return found.description.get("release", ""), found.problem

    assert read("alice", "first") == ("6", "")
    assert read("bob", "other") == ("6-bob", "")
    assert read("carol", "other") == ("", "")
    assert read("carol", "only") == ("6", "")
    known["kernels"]["bob"].pop("version")
    file.write_text(json.dumps(known))
    assert "does not describe a publication" in read("alice", "first")[1]
