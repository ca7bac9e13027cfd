# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint of an OpenPGP public key, and the one that a signature names, without gpg."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

PUBLIC_KEY = 6
SIGNATURE = 2
_ISSUER = 33  # subpacket with the fingerprint of the key that signed


def _length(data: bytes, at: int, size: int) -> tuple[int, int]:
    if at + size > len(data):
        raise ValueError("the key is cut off")
    return int.from_bytes(data[at : at + size], "big"), at + size


def _packet_length(data: bytes, head: int, at: int) -> tuple[int, int]:
    """Of a packet's body, and where that begins (RFC 9580, 4.2)."""
    if head & 0x40:
        first, at = _length(data, at, 1)
        if first < 192:
            return first, at
        if first < 224:
            second, at = _length(data, at, 1)
            return (first - 192) * 256 + second + 192, at
        if first == 255:
            return _length(data, at, 4)
        raise ValueError("a key in several parts")
    if head & 3 == 3:
        raise ValueError("a packet without a length")
    return _length(data, at, 1 << (head & 3))


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each. Raises ValueError if it is not OpenPGP."""
    at = 0
    while at < len(data):
        head = data[at]
        if not head & 0x80:
            raise ValueError("not an OpenPGP packet")
        tag = head & 0x3F if head & 0x40 else (head >> 2) & 0x0F
        size, at = _packet_length(data, head, at + 1)
        if at + size > len(data):
            raise ValueError("the key is cut off")
        yield tag, data[at : at + size]
        at += size


def fingerprint(body: bytes) -> str:
    """Of a public-key packet, as gpg prints it (RFC 9580, 5.5.4)."""
    version = body[0] if body else 0
    size = len(body)
    if version == 4:
        # Names the key; the format knows no other hash for it.
        data = b"\x99" + size.to_bytes(2, "big") + body
        return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()
    if version in (5, 6):
        data = {5: b"\x9a", 6: b"\x9b"}[version] + size.to_bytes(4, "big") + body
        return hashlib.sha256(data).hexdigest().upper()
    raise ValueError(f"a key of version {version}")


def primary_fingerprints(data: bytes) -> list[str]:
    """Of the primary keys, not of their subkeys. Raises ValueError if there is none."""
    found = [fingerprint(body) for tag, body in packets(data) if tag == PUBLIC_KEY]
    if not found:
        raise ValueError("there is no public key")
    return found


def _subpackets(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        size, at = _length(data, at, 1)
        if size == 255:
            size, at = _length(data, at, 4)
        elif size >= 192:
            second, at = _length(data, at, 1)
            size = (size - 192) * 256 + second + 192
        if not size or at + size > len(data):
            raise ValueError("the signature is cut off")
        yield data[at] & 0x7F, data[at + 1 : at + size]
        at += size


def issuer(data: bytes) -> str:
    """The fingerprint that a signature names; empty if it names none. It is not checked."""
    try:
        for tag, body in packets(data):
            if tag == SIGNATURE and body[:1] == b"\x04":
                size, at = _length(body, 4, 2)
                for kind, value in _subpackets(body[at : at + size]):
                    if kind == _ISSUER and len(value) == 21:
                        return value[1:].hex().upper()
    except ValueError:
        pass
    return ""
