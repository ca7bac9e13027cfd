# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature behind a module, as the kernel's sign-file appends it: attach, detach, check."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import Certificate
from ansible_collections.oslab.kernel.plugins.module_utils._common import der

# include/linux/module_signature.h
MAGIC = b"~Module signature appended~\n"
_INFO = struct.Struct(">5B3xI")
_PKCS7 = 2

_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}
_NULL = b"\x05\x00"


class SignatureError(Exception):
    """It is not signed, or not by this key; the message says which."""


def split(module: bytes) -> tuple[bytes, bytes]:
    """The module without its signature, and the signature."""
    if not module.endswith(MAGIC):
        raise SignatureError("it has no signature")
    end = len(module) - len(MAGIC) - _INFO.size
    kind, size = _INFO.unpack_from(module, end)[2::3] if end >= 0 else (0, 0)
    if kind != _PKCS7 or not 0 < size <= end:
        raise SignatureError("its signature is damaged")
    return module[: end - size], module[end - size : end]


def attach(module: bytes, signature: bytes) -> bytes:
    """The module with a detached signature (PKCS#7, DER), as `sign-file -s` makes it."""
    return module + signature + _INFO.pack(0, 0, _PKCS7, 0, 0, len(signature)) + MAGIC


def check(module: bytes, certificate: Certificate) -> None:
    """Raise SignatureError unless the module has a good signature by this certificate's key."""
    content, signature = split(module)
    try:
        # ContentInfo → SignedData → its last part, the signers
        signed = der.only(signature).child(1).child(0)
        (signer,) = signed.child(-1).parts(1)
        serial = signer.child(1).child(1).number
        algorithm = signer.child(2).child(0)
        value = signer.child(-1).content
        new: Callable[[bytes], hashlib._Hash] = getattr(hashlib, _HASHES[der.dotted(algorithm)])
    except (der.DerError, KeyError):
        raise SignatureError("its signature is damaged") from None
    if serial != certificate.serial:
        raise SignatureError("it is signed by another key")
    size = (certificate.modulus.bit_length() + 7) // 8
    number = pow(int.from_bytes(value, "big"), certificate.exponent, certificate.modulus)
    # PKCS#1 v1.5: the hash with its name, after bytes that fill up.
    digest = der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, algorithm.whole + _NULL)
        + der.encode(der.OCTET_STRING, new(content).digest()),
    )
    wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    if number.to_bytes(size, "big") != wanted:
        raise SignatureError("its signature is not that of this content")
