# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check OpenPGP signatures with gpgv, a keyring of our own and pinned fingerprints. And make them.

gpgv knows no trust and no key server: a signature counts when it is good and its primary key's
fingerprint is one of those given. No keyring of the user's is read or written.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    gpg_status,
    openpgp_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, output_summary

# (argv, standard input) → (exit status, standard output)
Feed = Callable[[Sequence[str], Iterable[bytes]], "tuple[int, str]"]

_BEGIN_ARMOR = re.compile(r"-----BEGIN PGP (?:PUBLIC KEY BLOCK|SIGNATURE)-----\r?\n")
_END_ARMOR = "-----END PGP "
_NO_SIGNATURE = "this is not an OpenPGP signature"
_TEXT = b"-----BEGIN PGP SIGNED MESSAGE-----"
_BLOCK = b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"
BLOCK = 64 << 10  # bytes
# RFC 4880, 9.4: SHA-256, SHA-384, SHA-512. MD5 and SHA-1 can be forged.
_HASHES = {"8", "9", "10"}
_BAD = {
    "BADSIG": "the signature is not of these contents",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "signed by a key that has expired",
    "REVKEYSIG": "signed by a key that was revoked",
    "NO_PUBKEY": "signed by a key that is not among the given ones",
    "ERRSIG": "the signature cannot be checked",
}


class SignatureError(Exception):
    """Not signed by one of the keys that count."""


@dataclass(frozen=True)
class Keys:
    """Public keys (ASCII-armoured) and the fingerprints of those that count."""

    armored: str
    fingerprints: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.armored.strip())

    def counts(self, fingerprint: str) -> bool:
        return fingerprint.upper() in {normal(item) for item in self.fingerprints}


def normal(fingerprint: str) -> str:
    """As gpgv prints it; people write it in groups of four."""
    return re.sub(r"\s", "", fingerprint).upper()


def _armored(text: str) -> Iterator[str]:
    """What stands between the marks of each block. One look at each character."""
    end = 0
    while True:
        begin = _BEGIN_ARMOR.search(text, end)
        end = text.find(_END_ARMOR, begin.end()) if begin else -1
        if begin is None or end < 0:
            return
        yield text[begin.end() : end]


def dearmor(text: str, what: str = "the text of the keys") -> bytes:
    """The binary form of all blocks in `text`: gpgv reads no other keyring."""
    blocks = list(_armored(text))
    if not blocks:
        raise SignatureError(f"no '-----BEGIN PGP PUBLIC KEY BLOCK-----' in {what}")
    binary = b""
    for block in blocks:
        body = re.split(r"\r?\n\s*\r?\n", "\n" + block, maxsplit=1)[-1]  # headers end there
        lines = [line for line in body.split() if not line.startswith("=")]  # the CRC-24
        try:
            binary += base64.b64decode("".join(lines), validate=True)
        except binascii.Error as error:
            raise SignatureError(f"{what} is damaged: {error}") from error
    return binary


def signature_packets(signature: bytes) -> bytes:
    """The binary form of a signature, armoured or not.

    Raises SignatureError if there is anything else in it. gpgv would unpack a compressed packet
    of some KiB to any number of GiB before it looks for a signature.
    """
    if signature[:1] < b"\x80":  # no packet
        if b"-----BEGIN" not in signature:
            return signature  # gpgv finds nothing in it either
        signature = dearmor(signature.decode("utf-8", "replace"), "the signature")
    try:
        kinds = {kind for kind, _body in openpgp_key.packets(signature)}
    except ValueError:
        raise SignatureError(_NO_SIGNATURE) from None
    if kinds != {openpgp_key.SIGNATURE}:
        raise SignatureError(_NO_SIGNATURE)
    return signature


def clearsigned(message: bytes) -> bytes:
    """The signed text and its signature, of what may have other things around it."""
    begin = message.find(_TEXT)
    middle = message.find(b"\n" + _BLOCK, begin)
    end = message.find(_END, middle)
    if begin < 0 or middle < 0 or end < 0 or (begin and message[begin - 1 : begin] != b"\n"):
        raise SignatureError("this is not a text with an OpenPGP signature")
    block = message[middle + 1 : end + len(_END)]
    lines = message[begin + len(_TEXT) : middle].splitlines()
    if len(block) > BLOCK or any(line[:1] == b"-" and line[:2] != b"- " for line in lines):
        raise SignatureError("this is not a text with an OpenPGP signature")
    signature_packets(block)
    return message[begin:middle] + b"\n" + block + b"\n"


def signer(status: str, keys: Keys) -> str:
    """The fingerprint of the primary key that made a good signature, from gpgv's status lines."""
    problems = []
    good = []
    for signature in gpg_status.signatures(status):
        bad = next((word for word in _BAD if word in signature), None)
        if bad:
            problems.append(f"{_BAD[bad]} ({' '.join(signature[bad][:1])})")
        elif "GOODSIG" in signature and len(signature.get("VALIDSIG", [])) > gpg_status.PRIMARY_KEY:
            fingerprint, digest = (
                signature["VALIDSIG"][gpg_status.PRIMARY_KEY],
                signature["VALIDSIG"][gpg_status.DIGEST],
            )
            if not keys.counts(fingerprint):
                problems.append(f"signed by {fingerprint}, which is not one of the pinned keys")
            elif digest not in _HASHES:
                problems.append(f"the signature uses a weak hash (OpenPGP number {digest})")
            else:
                good.append(fingerprint)
        if bad == "BADSIG":
            good.clear()
            break
    if not good:
        raise SignatureError("; ".join(problems) or _NO_SIGNATURE)
    return good[0]


def fingerprint_of(public_key: str, what: str = "the key") -> str:
    """Of the one key in an ASCII text. Raises SignatureError if there are none or more."""
    try:
        found = openpgp_key.primary_fingerprints(dearmor(public_key))
    except (SignatureError, ValueError) as error:
        raise SignatureError(f"{what} is no public key: {error}") from error
    if len(found) != 1:
        raise SignatureError(f"{what} is {len(found)} keys, and has to be one")
    return found[0]


def clearsign(run: Runner, text: Path, home: str, fingerprint: str) -> bytes:
    """The text of a file with its signature, as InRelease has it. Raises SignatureError.

    :param home: of GnuPG, where the secret key is; empty for the user's own.
    """
    place = ["--homedir", home] if home else []
    code, out, err = run(
        [
            *("gpg", "--batch", "--no-tty", *place, "--pinentry-mode", "error"),
            *("--local-user", fingerprint, "--digest-algo", "SHA512"),
            *("--clearsign", "--output", "-", str(text)),
        ]
    )
    if code != 0:
        raise SignatureError(
            f"{text} was not signed by {fingerprint} of {home or 'the default GnuPG home'}: "
            f"{output_summary(out, err)}"
        )
    return out.encode()


def feeder(run: Runner) -> Feed:
    """For what reads no contents from its standard input."""

    def feed(argv: Sequence[str], _contents: object) -> tuple[int, str]:
        code, out, _err = run(argv)
        return code, out

    return feed


def is_clearsigned(run: Runner, signed: Path, text: str, public_key: str) -> bool:
    """Whether a file has this very text and a good signature of the one key."""
    try:
        keys = Keys(public_key, [fingerprint_of(public_key)])
        message = bounded_read.content(signed)
        return verify_clearsigned(keys, message, feeder(run))[1] == text
    except (OSError, SignatureError):
        return False


@contextmanager
def _private_home(keys: Keys) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="oslab-gpgv-") as home:
        Path(home, "keys.gpg").write_bytes(dearmor(keys.armored))
        yield Path(home)


def _gpgv(home: Path, *arguments: str) -> list[str]:
    return [
        *("gpgv", "--homedir", str(home), "--keyring", str(home / "keys.gpg")),
        *("--status-fd", "1", *arguments),
    ]


def verify_detached(keys: Keys, signature: bytes, contents: Iterable[bytes], feed: Feed) -> str:
    """Who signed the contents; they are read once, as they come."""
    with _private_home(keys) as home:
        file = home / "signature"
        file.write_bytes(signature_packets(signature))
        _status, output = feed(_gpgv(home, str(file), "-"), contents)
        return signer(output, keys)


def verify_clearsigned(keys: Keys, message: bytes, feed: Feed) -> tuple[str, str]:
    """Who signed it, and what: only that part, since anybody can add text around it."""
    with _private_home(keys) as home:
        file, text = home / "message", home / "text"
        file.write_bytes(clearsigned(message))
        _status, output = feed(_gpgv(home, "--output", str(text), str(file)), ())
        fingerprint = signer(output, keys)
        return fingerprint, text.read_text(encoding="utf-8", errors="replace")
