# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates a firmware trusts, and which kernels it would refuse."""

from __future__ import annotations

import struct
import uuid

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._host import secure_boot
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328").bytes_le


def signature_list(kind: bytes, *entries: bytes) -> bytes:
    size = len(entries[0]) + 16
    head = struct.pack("<16sIII", kind, 28 + size * len(entries), 0, size)
    return head + b"".join(bytes(16) + entry for entry in entries)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    pem = made.pair(tmp_path_factory.mktemp("keys"))
    return signing_key.parse(pem.read_text(), "x").certificate


def test_lists(certificate):
    one = signature_list(X509, certificate.encoded)
    hashes = signature_list(SHA256, bytes(32), bytes(32))
    assert secure_boot.list_certificates(hashes + one) == [certificate.encoded]
    assert secure_boot.list_certificates(one + one + b"\0" * 30) == [certificate.encoded] * 2
    assert secure_boot.list_certificates(one[:-1]) == []
    assert secure_boot.list_certificates(b"") == []


def test_what_a_host_trusts(certificate, tmp_path):
    assert secure_boot.trusted_certificates(tmp_path) is None
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    assert secure_boot.trusted_certificates(tmp_path) is None
    db = variables / "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
    db.write_bytes(b"\7\0\0\0" + signature_list(X509, b"nonsense"))
    assert secure_boot.trusted_certificates(tmp_path) == []
    known = [{"sha256": certificate.sha256, "subject": certificate.subject}]
    for name, head in (
        ("efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", b"\7\0\0\0"),
        ("mok-variables/MokListRT", b""),
    ):
        path = tmp_path / "sys/firmware/efi" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(head + signature_list(X509, certificate.encoded))
        assert secure_boot.trusted_certificates(tmp_path) == known
        path.unlink()


def ask(signer, trusted, secure=True):
    info = {"secure_boot": secure, "trusted_certificates": trusted}
    return secure_boot.problem("web1", info, signer)


def test_the_answer(certificate):
    signer = {**certificate.public(), "issuer": "CN=our own authority"}
    itself = [{"sha256": signer["sha256"], "subject": signer["subject"]}]
    authority = [{"sha256": "0", "subject": "CN=our own authority"}]
    for secure in (False, None):
        assert ask({}, None, secure) == ""
    assert "build_image_signing_key" in ask({}, itself)
    assert ask(signer, itself) == ask(signer, authority) == ask(signer, None) == ""
    message = ask(signer, [{"sha256": "0", "subject": signer["subject"]}])
    assert (
        message.startswith("web1 ")
        and signer["sha256"] in message
        and "mokutil --import" in message
    )
    assert "mokutil --import" in ask(signer, [])
