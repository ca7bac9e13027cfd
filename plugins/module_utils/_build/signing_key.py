# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that signs: what a user's PEM file must hold, and what may be shown of it.

Nothing here makes a key, and nothing here writes one. The messages never hold a part of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ansible_collections.oslab.kernel.plugins.module_utils._common import der
from ansible_collections.oslab.kernel.plugins.module_utils._common.der import DerError

RSA = "1.2.840.113549.1.1.1"
# What a signature needs to be worth something, by today's rules.
BITS = 2048

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)
_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_BMP_STRING = 0x1E


class SigningKeyError(Exception):
    """The file is of no use; the message names the variable and says what to do."""


@dataclass(frozen=True)
class Certificate:
    encoded: bytes = field(repr=False)  # DER
    serial: int
    issuer: str
    subject: str
    not_before: datetime
    not_after: datetime
    algorithm: str  # of its key
    modulus: int = field(repr=False)
    exponent: int = field(repr=False)

    @property
    def sha256(self) -> str:
        """The fingerprint, as openssl and mokutil print it, without colons and in lower case."""
        return hashlib.sha256(self.encoded).hexdigest()

    def public(self) -> dict[str, str]:
        """What a manifest says of it."""
        return {"sha256": self.sha256, "subject": self.subject, "issuer": self.issuer}


@dataclass(frozen=True)
class SigningKey:
    """A private key with its certificate."""

    certificate: Certificate
    private: str = field(repr=False)  # PEM

    @property
    def text(self) -> str:
        """Both, as the kernel's build and sbsign read them."""
        return self.private + pem("CERTIFICATE", self.certificate.encoded)


def pem(label: str, encoded: bytes) -> str:
    text = base64.b64encode(encoded).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


# --- certificates ------------------------------------------------------------------------------


def _name(node: der.Node) -> str:
    """A distinguished name, one part after the other."""
    parts = []
    for group in node.children:
        for pair in group.children:
            kind, value = pair.parts(2)
            codec = "utf-16-be" if value.tag == _BMP_STRING else "utf-8"
            text = value.content.decode(codec, errors="replace")
            parts.append(f"{_NAMES.get(der.dotted(kind), der.dotted(kind))}={text}")
    return ", ".join(parts)


def _time(node: der.Node) -> datetime:
    text = node.content.decode("ascii", errors="replace")
    if node.tag == der.UTC_TIME:  # two digits, of 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise DerError(f"{text!r} is no time") from None


def parse_certificate(encoded: bytes) -> Certificate:
    """What a certificate (DER) says. Raises DerError, and nothing else, if it is none."""
    fields = der.only(encoded).child(0).children
    if fields and fields[0].tag == 0xA0:  # the version, which the oldest ones do not state
        del fields[0]
    if len(fields) < 6:
        raise DerError("a part is missing")
    serial, _algorithm, issuer, validity, subject, public = fields[:6]
    not_before, not_after = map(_time, validity.parts(2))
    kind, bits = public.parts(2)
    algorithm = der.dotted(kind.child(0))
    modulus = exponent = 0
    if algorithm == RSA:
        # The first byte of a bit string counts the unused bits of its last one.
        modulus, exponent = (part.number for part in der.only(bits.content[1:]).parts(2))
    return Certificate(
        encoded=encoded,
        serial=serial.number,
        issuer=_name(issuer),
        subject=_name(subject),
        not_before=not_before,
        not_after=not_after,
        algorithm=algorithm,
        modulus=modulus,
        exponent=exponent,
    )


def read_certificate(text: str) -> Certificate:
    """Of the one certificate in a PEM text.

    Raises DerError, IndexError or ValueError if there is none, or more than one.
    """
    ((label, body),) = _PEM.findall(text)
    if label != "CERTIFICATE":
        raise ValueError(f"this is {label}")
    return parse_certificate(_decode(body))


# --- private keys ------------------------------------------------------------------------------


def _rsa_numbers(label: str, encoded: bytes) -> tuple[int, int, int] | None:
    """Modulus and both exponents; None of a key of another kind."""
    node = der.only(encoded)
    if label == "PRIVATE KEY":  # PKCS#8: a version, the kind, the key
        _version, kind, content = node.children[:3]
        if der.dotted(kind.children[0]) != RSA:
            return None
        node = der.only(content.content)
    numbers = [part.number for part in node.children[1:4]]
    return numbers[0], numbers[1], numbers[2]


def _belong_together(numbers: tuple[int, int, int], certificate: Certificate) -> bool:
    modulus, exponent, secret = numbers
    if (modulus, exponent) != (certificate.modulus, certificate.exponent):
        return False
    return pow(pow(2, secret, modulus), exponent, modulus) == 2


# --- the file ----------------------------------------------------------------------------------


def parse(text: str, variable: str, now: datetime | None = None) -> SigningKey:
    """The key of a PEM file. `now` is None where its certificate's dates do not matter."""

    def refuse(reason: str) -> SigningKeyError:
        return SigningKeyError(f"{variable}: {reason}")

    blocks = _PEM.findall(text)
    if not blocks:
        raise refuse(
            "the file is not PEM. It must hold a private key and its certificate, each between "
            "lines of -----BEGIN ...----- and -----END ...-----; "
            "docs/how-to/use-secure-boot.md makes one"
        )
    keys = [block for block in blocks if block[0].endswith("PRIVATE KEY")]
    certificates = [block for block in blocks if block[0] == "CERTIFICATE"]
    for what, found in (("private key", keys), ("certificate", certificates)):
        if len(found) != 1:
            raise refuse(
                f"the file holds {len(found) or 'no'} {what}{'s'[: len(found) > 1]}: exactly one "
                "private key and one certificate are needed (cat key.pem certificate.pem)"
            )
    label, body = keys[0]
    if label == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in body:
        raise refuse(
            "the private key is encrypted, and nobody types its passphrase during a build. "
            "Decrypt it (openssl pkey -in FILE) and keep the file encrypted by ansible-vault"
        )
    try:
        certificate = parse_certificate(_decode(certificates[0][1]))
    except (DerError, IndexError, ValueError, binascii.Error):
        raise refuse("its certificate cannot be read") from None
    if label not in ("PRIVATE KEY", "RSA PRIVATE KEY") or certificate.algorithm != RSA:
        raise refuse(
            "the key is not RSA. Signatures by others (ECDSA, DSA) hold random numbers, so that "
            "no two builds would be the same; make an RSA key as "
            "docs/how-to/use-secure-boot.md shows"
        )
    try:
        numbers = _rsa_numbers(label, _decode(body))
    except (DerError, IndexError, ValueError, binascii.Error):
        raise refuse("its private key cannot be read") from None
    if numbers is None or not _belong_together(numbers, certificate):
        raise refuse(
            f"the private key is not that of the certificate ({certificate.subject}): "
            "both have to come from one pair"
        )
    if certificate.modulus.bit_length() < BITS:
        raise refuse(f"the key has {certificate.modulus.bit_length()} bits: take {BITS} or more")
    if now is not None:
        if now > certificate.not_after:
            raise refuse(f"the certificate expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC")
        if now < certificate.not_before:
            raise refuse(f"the certificate begins on {certificate.not_before:%Y-%m-%d %H:%M} UTC")
    return SigningKey(certificate, pem(label, _decode(body)))


def _decode(body: str) -> bytes:
    return base64.b64decode("".join(body.split()), validate=True)
