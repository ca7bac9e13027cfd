# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gpgv's word means; the real gpgv is tried in tests/integration/role/source."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    Keys,
    SignatureError,
)

ROOT = Path(__file__).resolve().parents[5]
FINGERPRINT = "A" * 40
OTHER = "B" * 40
BODY = base64.b64encode(b"binary").decode()
ARMOR = f"""-----BEGIN PGP PUBLIC KEY BLOCK-----
Comment: hello

{BODY}
=abcd
-----END PGP PUBLIC KEY BLOCK-----
"""
KEYS = Keys(ARMOR, ["AAAA " * 10])


def status(*lines):
    return "".join(f"[GNUPG:] {line}\n" for line in lines)


def valid(primary=FINGERPRINT, digest="8", word="GOODSIG"):
    subkey = "C" * 40
    return (
        "NEWSIG",
        f"{word} 0123 Somebody",
        f"VALIDSIG {subkey} 2024-03-10 1710108000 0 4 0 1 {digest} 00 {primary}",
    )


def test_the_primary_key_of_a_good_signature():
    assert openpgp.signer(status(*valid()), KEYS) == FINGERPRINT


@pytest.mark.parametrize(
    ("gpg_output", "message"),
    [
        (status(*valid(OTHER)), f"signed by {OTHER}, which is not one of the pinned keys"),
        (status(*valid(digest="2")), "weak hash"),
        (status(*valid(word="EXPKEYSIG")), "a key that has expired"),
        (status(*valid(word="REVKEYSIG")), "a key that was revoked"),
        (status(*valid(word="EXPSIG")), "the signature has expired"),
        (status("NEWSIG", "BADSIG 0123 Somebody"), "not of these contents"),
        (status("NEWSIG", "ERRSIG 01 1 8 00 1 9 -", "NO_PUBKEY 01"), "not among the given"),
        (status("NEWSIG", "GOODSIG 0123 Somebody"), "not an OpenPGP signature"),
        (status("NODATA 4"), "not an OpenPGP signature"),
        ("gpgv: no valid OpenPGP data\n", "not an OpenPGP signature"),
        ("", "not an OpenPGP signature"),
        # A name may hold anything, but not start a line.
        (f"x [GNUPG:] {valid()[1]}\n x [GNUPG:] {valid()[2]}\n", "not an OpenPGP signature"),
        # Two halves of two signatures are not one.
        (status("NEWSIG", valid()[1], "NEWSIG", valid()[2]), "not an OpenPGP signature"),
        (status(*valid(), "NEWSIG", "BADSIG 0123 Somebody"), "not of these contents"),
    ],
)
def test_all_else_is_refused(gpg_output, message):
    with pytest.raises(SignatureError, match=message):
        openpgp.signer(gpg_output, KEYS)


def test_one_good_signature_among_strangers_is_enough():
    unknown = ("NEWSIG", "ERRSIG 01 1 8 00 1 9 -", "NO_PUBKEY 01")
    assert openpgp.signer(status(*unknown, *valid()), KEYS) == FINGERPRINT
    assert openpgp.signer(status(*valid(), *unknown), KEYS) == FINGERPRINT


def test_dearmor():
    assert openpgp.dearmor(ARMOR + "text\n" + ARMOR) == b"binarybinary"
    assert openpgp.dearmor(ARMOR.replace("Comment: hello\n", "")) == b"binary"
    assert openpgp.dearmor(ARMOR.replace("\n", "\r\n")) == b"binary"
    for bad in ("", BODY, ARMOR.replace(BODY, "b!nary")):
        with pytest.raises(SignatureError):
            openpgp.dearmor(bad)


def test_gpgv_gets_a_keyring_of_its_own_that_is_gone_afterwards():
    seen = {}

    def feed(argv, contents):
        seen["argv"], seen["contents"] = argv, b"".join(contents)
        keyring = Path(argv[argv.index("--keyring") + 1])
        assert keyring.read_bytes() == b"binary"
        assert Path(argv[-2]).read_bytes() == b"the signature"
        seen["home"] = Path(argv[argv.index("--homedir") + 1])
        assert keyring.parent == seen["home"]
        return 0, status(*valid())

    assert openpgp.verify_detached(KEYS, b"the signature", [b"a", b"b"], feed) == FINGERPRINT
    assert seen["contents"] == b"ab"
    assert not seen["home"].exists()


def test_the_shipped_keys_are_the_pinned_ones():
    role = yaml.safe_load((ROOT / "roles/source/defaults/main.yml").read_text())
    shipped = openpgp.dearmor((ROOT / "files/keys/kernel-developers.asc").read_text())
    found = _primary_fingerprints(shipped)
    assert found == {openpgp.normal(item) for item in role["source_developer_fingerprints"]}


def _primary_fingerprints(data):
    """RFC 4880: the packets of a keyring, old and new format."""
    import hashlib

    found, at = set(), 0
    while at < len(data):
        tag = data[at]
        if tag & 0x40:
            kind, first = tag & 0x3F, data[at + 1]
            size, head = (first, 2) if first < 192 else (
                (((first - 192) << 8) + data[at + 2] + 192, 3) if first < 224
                else (int.from_bytes(data[at + 2 : at + 6], "big"), 6)
            )  # fmt: skip
        else:
            kind, width = (tag >> 2) & 0xF, 1 << (tag & 3)
            size, head = int.from_bytes(data[at + 1 : at + 1 + width], "big"), 1 + width
        body = data[at + head : at + head + size]
        if kind == 6:
            text = b"\x99" + len(body).to_bytes(2, "big") + body
            found.add(hashlib.sha1(text).hexdigest().upper())
        at += head + size
    return found


SIGNATURE_PACKET = bytes([0xC2, 3, 4, 0, 10])
COMPRESSED_PACKET = bytes([0xC8, 3, 3, 1, 1])


def armored(data):
    text = base64.b64encode(data).decode()
    return f"-----BEGIN PGP SIGNATURE-----\n\n{text}\n-----END PGP SIGNATURE-----\n".encode()


@pytest.mark.parametrize(
    "data",
    [SIGNATURE_PACKET, SIGNATURE_PACKET * 2, bytes([0x88, 3, 4, 0, 10]), bytes([0x89, 0, 1, 4])],
)
def test_signatures_come_through(data):
    assert openpgp.signature_packets(data) == data
    assert openpgp.signature_packets(armored(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        COMPRESSED_PACKET,
        SIGNATURE_PACKET + COMPRESSED_PACKET,
        bytes([0xA3, 2, 1, 1]),  # compressed, of no stated length
        bytes([0xC2, 0xE1, 4, 0]),  # in parts
        bytes([0xC2, 200]),
        bytes([0xC2, 9, 4]),
        bytes([0xC2]),
        armored(COMPRESSED_PACKET),
    ],
)
def test_what_gpgv_would_unpack_to_any_size_is_no_signature(data):
    with pytest.raises(SignatureError, match="not an OpenPGP signature"):
        openpgp.verify_detached(KEYS, data, [], lambda _argv, _contents: (0, status(*valid())))


def listing(text="abc  linux.tar.xz\n", signature=SIGNATURE_PACKET):
    head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    return f"{head}{text}".encode() + armored(signature)


def test_of_a_listing_only_the_signed_part_gets_to_gpgv():
    message = listing()
    assert openpgp.clearsigned(b"before\n" + message + b"after\n") == message


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"abc  linux.tar.xz\n",
        COMPRESSED_PACKET,
        listing()[:-10],
        listing(signature=COMPRESSED_PACKET),
        listing("-----BEGIN PGP MESSAGE-----\n"),
        listing(signature=SIGNATURE_PACKET * 20000),
        b"-----BEGIN PGP SIGNATURE-----\n" * 100_000,
    ],
)
def test_a_listing_of_anything_else_is_refused(message):
    def feed(_argv, _contents):
        pytest.fail("gpgv was asked")

    with pytest.raises(SignatureError, match=r"not a text with|not an OpenPGP"):
        openpgp.verify_clearsigned(KEYS, message, feed)
