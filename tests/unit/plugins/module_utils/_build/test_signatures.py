# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document with the detached signatures of a build."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import signatures, signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._build.signatures import (
    Signatures,
    SignaturesError,
)
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

IMAGE = "linux-image-6.12.0-x"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signatures:
    pem = made.pair(tmp_path_factory.mktemp("keys")).read_text()
    certificate = signing_key.parse(pem, "x").certificate
    return Signatures(
        "1" * 64,
        {"modules": certificate},
        {IMAGE: "2" * 64},
        {"lib/modules/6.12.0-x/kernel/a.ko": b"signature", "boot/vmlinuz-6.12.0-x": b"\0\xff"},
    )


def test_what_was_written_is_read(signed: Signatures) -> None:
    found = signatures.parse(signed.encode())
    assert found.files == signed.files
    assert found.certificates == signed.certificates
    assert found.unsigned == signed.unsigned
    assert found.encode() == signed.encode()
    assert "PRIVATE" not in signed.encode()


def test_a_document_stays_as_it_was_written(signed: Signatures) -> None:
    """Its checksum was published, whatever the order of its lines."""
    other = json.dumps(json.loads(signed.encode()))
    found = signatures.parse(other)
    assert found.encode() == other
    checksum = hashlib.sha256(other.encode()).hexdigest()
    assert found.described() == {
        "file": "signatures.json",
        "sha256": checksum,
        "unsigned": {IMAGE: "2" * 64},
    }


def test_the_published_checksum(signed: Signatures) -> None:
    text = base64.b64encode(signed.encode().encode()).decode()
    checksum = str(signed.described()["sha256"])
    assert signatures.matching(text, checksum).files == signed.files
    with pytest.raises(SignaturesError, match=f"has sha256 {checksum}, and {'0' * 64} was"):
        signatures.matching(text, "0" * 64)
    with pytest.raises(SignaturesError, match="not given"):
        signatures.matching("", checksum)
    with pytest.raises(SignaturesError, match="no text"):
        signatures.matching("-", checksum)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "of schema 1"),
        ({"build_id": "x"}, "no build id"),
        ({"files": {}}, "it has no files"),
        ({"files": []}, "it has no files"),
        ({"unsigned": {"a": 1}}, "unsigned has what is no text"),
        ({"unsigned": {"a": "b"}}, "the checksum of 'a' is none"),
        ({"certificates": {"other": "x"}}, "a certificate of 'other'"),
        ({"certificates": {"image": "x"}}, "certificate of image cannot be read"),
        ({"files": {"/etc/passwd": "AA=="}}, "no path of a signed file"),
        ({"files": {"boot/../etc/passwd": "AA=="}}, "no path of a signed file"),
        ({"files": {"etc/passwd": "AA=="}}, "no path of a signed file"),
        ({"files": {"boot/x": ""}}, "the signature of boot/x is none"),
        ({"files": {"boot/x": "-"}}, "the signature of boot/x is none"),
    ],
)
def test_what_is_refused(signed: Signatures, changes: dict[str, Any], message: str) -> None:
    document = {**json.loads(signed.encode()), **changes}
    with pytest.raises(SignaturesError, match=message):
        signatures.parse(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "x" * 100])
def test_what_is_no_document(text: str) -> None:
    with pytest.raises(SignaturesError):
        signatures.parse(text)


def test_its_size_is_limited(monkeypatch: pytest.MonkeyPatch, signed: Signatures) -> None:
    monkeypatch.setattr(signatures, "LIMIT", 100)
    with pytest.raises(SignaturesError, match="larger than"):
        signatures.parse(signed.encode())
