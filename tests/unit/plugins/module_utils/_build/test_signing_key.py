# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are keys that can sign a kernel, and what is said of those that cannot."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing_key
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

# The certificates are made after this line was read.
NOW = datetime.now(timezone.utc) + timedelta(hours=1)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def files(here):
    return made.make(here, "signer", subject="/C=GT/O=Usac/CN=Señal")


@pytest.fixture(scope="module")
def text(files):
    return files[0].read_text() + files[1].read_text()


def refused(text: str, now: datetime | None = NOW) -> str:
    with pytest.raises(signing_key.SigningKeyError) as caught:
        signing_key.parse(text, "build_x", now)
    message = str(caught.value)
    assert message.startswith("build_x: ")
    for line in text.splitlines():
        assert len(line) < 20 or line not in message  # nothing of the file is repeated
    return message


def test_a_good_one(text, files):
    key = signing_key.parse(text, "build_x", NOW)
    shown = made.openssl("x509", "-in", str(files[1]), "-noout", "-fingerprint", "-sha256")
    assert key.certificate.sha256 == shown.split("=")[1].strip().replace(":", "").lower()
    assert key.certificate.subject == key.certificate.issuer == "C=GT, O=Usac, CN=Señal"
    assert key.certificate.modulus.bit_length() == 2048
    ends = made.openssl("x509", "-in", str(files[1]), "-noout", "-enddate").strip()
    assert f"notAfter={key.certificate.not_after:%b %e %H:%M:%S %Y} GMT" == ends
    serial = made.openssl("x509", "-in", str(files[1]), "-noout", "-serial").split("=")[1]
    assert key.certificate.serial == int(serial, 16)
    # What is handed to the build is this pair and nothing else of the file.
    assert signing_key.parse(key.text, "build_x").certificate == key.certificate


def test_in_any_order_with_text_between_and_as_older_programs_write_it(files, here):
    key, certificate = (path.read_text() for path in files)
    old = made.openssl("rsa", "-in", str(files[0]), "-traditional")
    assert "BEGIN RSA PRIVATE KEY" in old
    for text in (certificate + "some words\n" + key, old + certificate):
        assert signing_key.parse(text.replace("\n", "\r\n"), "x").certificate.subject


def test_it_does_not_show_itself(text):
    key = signing_key.parse(text, "build_x", NOW)
    assert "PRIVATE" not in repr(key)
    assert str(key.certificate.modulus) not in repr(key)


def test_not_pem(text):
    assert "not PEM" in refused("")
    assert "not PEM" in refused("\0\1\2")
    assert "its private key cannot be read" in refused(text.replace("MII", "MI!", 1))


def test_only_one_half(files):
    key, certificate = (path.read_text() for path in files)
    assert "no certificate" in refused(key)
    assert "no private key" in refused(certificate)
    assert "2 certificates" in refused(key + certificate + certificate)


def test_of_two_pairs(files, here):
    _key, other = made.make(here, "other")
    assert "not that of the certificate" in refused(files[0].read_text() + other.read_text())


def test_encrypted(files, here):
    for name, options in (("new", []), ("old", ["-traditional"])):
        path = here / f"encrypted-{name}"
        arguments = ["-in", str(files[0]), "-aes256", "-passout", "pass:secret", *options]
        made.openssl("rsa", *arguments, "-out", str(path))
        assert "is encrypted" in refused(path.read_text() + files[1].read_text())


def test_of_another_kind(here):
    for name, kind in (("ec", "ec -pkeyopt ec_paramgen_curve:P-384"), ("ed", "ed25519")):
        key, certificate = made.make(here, name, kind=kind)
        assert "is not RSA" in refused(key.read_text() + certificate.read_text())


def test_too_short(here):
    key, certificate = made.make(here, "short", kind="rsa:1024")
    assert "1024 bits" in refused(key.read_text() + certificate.read_text())


def test_its_time(text):
    later, earlier = NOW + timedelta(days=10), NOW - timedelta(days=1)
    assert "expired on" in refused(text, later)
    assert "begins on" in refused(text, earlier)
    # On the builder nobody asks: the control node's clock was asked.
    assert signing_key.parse(text, "x", None)


def test_a_number_that_was_changed(text, files):
    """The public half agrees, and yet it would sign nothing that anybody accepts."""
    blocks = signing_key._PEM.findall(text)
    encoded = bytearray(signing_key._decode(blocks[0][1]))
    encoded[400] ^= 1  # in the private exponent, which is in the middle
    changed = signing_key.pem("PRIVATE KEY", bytes(encoded)) + files[1].read_text()
    assert "not that of the certificate" in refused(changed)
