# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signature as the kernel's sign-file makes it, by openssl's own CMS; and what spoils it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    module_signature,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.module_signature import (
    SignatureError,
)
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

CONTENT = b"\x7fELF" + bytes(range(256)) * 40


def sign(
    directory: Path, name: str, digest: str = "sha512"
) -> tuple[bytes, signing_key.SigningKey]:
    pem = made.pair(directory, name)
    module, signature = directory / "module.ko", directory / "signature"
    module.write_bytes(CONTENT)
    files = ["-signer", str(pem), "-inkey", str(pem), "-in", str(module), "-out", str(signature)]
    flags = ["-binary", "-noattr", "-nocerts", "-nosmimecap", "-outform", "DER", "-md", digest]
    made.openssl("cms", "-sign", *files, *flags)
    der = signature.read_bytes()
    info = struct.pack(">5B3xI", 0, 0, 2, 0, 0, len(der))
    key = signing_key.parse(pem.read_text(), "x")
    return CONTENT + der + info + b"~Module signature appended~\n", key


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    return sign(tmp_path_factory.mktemp("signed"), "signer")


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512", "sha3-512"])
def test_a_good_one(tmp_path, digest):
    module, key = sign(tmp_path, "signer", digest)
    module_signature.check(module, key.certificate)
    assert module_signature.split(module)[0] == CONTENT


@pytest.mark.parametrize("at", [0, 5000, len(CONTENT) - 1])
def test_one_byte_of_the_content(signed, at):
    module, key = signed
    changed = bytearray(module)
    changed[at] ^= 1
    with pytest.raises(SignatureError, match="not that of this content"):
        module_signature.check(bytes(changed), key.certificate)


def test_every_byte_of_the_signature_counts(signed):
    """Of the number at its end, and of what says how it was made."""
    module, key = signed
    size = len(module_signature.split(module)[1])
    end = len(module) - 28 - 12
    for at in range(end - 256, end, 17):
        changed = bytearray(module)
        changed[at] ^= 1
        with pytest.raises(SignatureError):
            module_signature.check(bytes(changed), key.certificate)
    assert size > 256


def test_none(signed):
    for module in (CONTENT, b"", b"~Module signature appended~\n"):
        with pytest.raises(SignatureError):
            module_signature.check(module, signed[1].certificate)


def test_another_key(signed, tmp_path):
    _module, other = sign(tmp_path, "other")
    with pytest.raises(SignatureError, match="another key"):
        module_signature.check(signed[0], other.certificate)
