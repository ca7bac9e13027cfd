# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The detached signatures of a build, in one document beside its packages.

The packages are made without signatures first. The document has the signature of the image and of
each module (PKCS#7, DER), the certificates of those who signed, and the checksums that the packages
had without signatures. Whoever has it and no key makes the signed packages from unsigned ones.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import Certificate
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._common.der import DerError
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import BUILD_ID

NAME = "signatures.json"
SCHEMA = 1
#: Bytes of a document. That of a distribution's whole configuration has some 4 MiB.
LIMIT = 32 << 20
#: Bytes of a signature with a key of 4096 bits: some 3000.
LARGEST = 64 << 10
#: What is signed. The names are those of a manifest's `signers`.
KINDS = ("image", "modules")


class SignaturesError(Exception):
    """The document is none of detached signatures; the message says why."""


@dataclass(frozen=True)
class Signatures:
    """`certificates`: by kind. `unsigned`: package → sha256. `files`: path in a package → bytes."""

    build_id: str
    certificates: Mapping[str, Certificate]
    unsigned: Mapping[str, str]
    files: Mapping[str, bytes] = field(repr=False)
    #: The document that these were read from, byte for byte; empty if there is none yet.
    text: str = field(default="", repr=False)

    def encode(self) -> str:
        """The document: as it was read, or the same text for the same signatures."""
        return self.text or _encode(self)

    def described(self) -> dict[str, Any]:
        """What a build's result says of the document."""
        checksum = hashlib.sha256(self.encode().encode()).hexdigest()
        return {"file": NAME, "sha256": checksum, "unsigned": dict(self.unsigned)}


def _encode(made: Signatures) -> str:
    document = {
        "schema": SCHEMA,
        "build_id": made.build_id,
        "certificates": {
            kind: signing_key.pem("CERTIFICATE", certificate.encoded)
            for kind, certificate in made.certificates.items()
        },
        "unsigned": dict(made.unsigned),
        "files": {path: base64.b64encode(data).decode() for path, data in made.files.items()},
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def decode(document: str) -> Signatures:
    """Of a document in base64. Raises SignaturesError."""
    try:
        text = base64.b64decode(document, validate=True).decode("utf-8")
    except ValueError as error:
        raise SignaturesError(f"it is no text ({error})") from error
    return parse(text)


def parse(text: str) -> Signatures:
    """Raises SignaturesError, and nothing else, for what is no such document."""
    if len(text) > LIMIT:
        raise SignaturesError(f"it is larger than {LIMIT >> 20} MiB")
    try:
        found = bounded_read.parse_json(text)
    except ValueError as error:
        raise SignaturesError(f"it is no JSON ({error})") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise SignaturesError(f"it is no JSON object of schema {SCHEMA}")
    for problem in _problems(found):
        raise SignaturesError(problem)
    return Signatures(
        found["build_id"],
        {kind: _certificate(kind, pem) for kind, pem in found["certificates"].items()},
        found["unsigned"],
        {path: _signature(path, data) for path, data in found["files"].items()},
        text,
    )


def _is_path(path: str) -> bool:
    """Of a file that has signatures, relative to the root of a host."""
    parts = PurePosixPath(path).parts
    return (
        path.isprintable()
        and len(path) <= 4096
        and path == "/".join(parts)
        and parts[:1] in (("boot",), ("lib",), ("usr",))
        and ".." not in parts
    )


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(found.get("build_id"), str) or not BUILD_ID.fullmatch(found["build_id"]):
        yield "it names no build id"
    for name in ("certificates", "unsigned", "files"):
        value = found.get(name)
        if not isinstance(value, dict) or not value:
            yield f"it has no {name}"
        elif not all(isinstance(each, str) for each in value.values()):
            yield f"{name} has what is no text"
    for kind in found["certificates"]:
        if kind not in KINDS:
            yield f"it has a certificate of {plain_text.shown(repr(kind))}"
    for package, checksum in found["unsigned"].items():
        if not SHA256.fullmatch(checksum):
            yield f"the checksum of {plain_text.shown(repr(package))} is none"
    for path in found["files"]:
        if not _is_path(path):
            yield f"{plain_text.shown(repr(path))} is no path of a signed file"


def _certificate(kind: str, pem: str) -> Certificate:
    try:
        return signing_key.read_certificate(pem)
    except (DerError, IndexError, ValueError, binascii.Error):
        raise SignaturesError(f"the certificate of {kind} cannot be read") from None


def _signature(path: str, data: str) -> bytes:
    try:
        found = base64.b64decode(data, validate=True)
    except ValueError:
        found = b""
    if not 0 < len(found) <= LARGEST:
        raise SignaturesError(f"the signature of {plain_text.shown(path)} is none")
    return found


def matching(text: Optional[str], checksum: str) -> Signatures:
    """The signatures in a text (base64) that has to have this checksum. Raises SignaturesError."""
    if not text:
        raise SignaturesError("it was not given")
    found = decode(text)
    actual = hashlib.sha256(found.text.encode()).hexdigest()
    if actual != checksum:
        raise SignaturesError(f"it has sha256 {actual}, and {checksum} was published")
    return found
