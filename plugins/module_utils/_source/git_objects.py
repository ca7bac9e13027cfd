# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git prints: lists of references, and tags and commits with their signatures.

Signatures are checked by gpgv and pinned fingerprints (openpgp.py), as those of tarballs are, and
not by `git verify-tag`, which asks the keyring and the settings of a user.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"([0-9a-f]{40})\t(HEAD|refs/[^\s]+)")
_TAG = re.compile(
    rb"object (?P<object>[0-9a-f]{40})\ntype (?P<type>[a-z]+)\ntag (?P<name>[^\n]+)\n(?:tagger |\n)"
)
_COMMIT = re.compile(rb"tree [0-9a-f]{40}\n")
_SIGNATURE = b"\n-----BEGIN PGP SIGNATURE-----\n"
_HEADER = b"gpgsig "


class ObjectError(ValueError):
    """It is not what git prints, or has no OpenPGP signature."""


@dataclass(frozen=True)
class Signed:
    """`payload`: what was signed. `signature`: ASCII-armoured."""

    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Tag:
    """What an annotated tag names: the object, its kind, and the tag's own name."""

    target: str
    kind: str
    name: str


def references(text: str) -> dict[str, str]:
    """Reference → object, of `git ls-remote`. Raises ObjectError."""
    found = {}
    for line in text.split("\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise ObjectError("the repository answers with something else than references")
        found[match[2]] = match[1]
    return found


def tag(data: bytes) -> Tag:
    """Of the text of an annotated tag. Raises ObjectError."""
    match = _TAG.match(data)
    if not match:
        raise ObjectError("it is no annotated tag")
    return Tag(
        match["object"].decode(), match["type"].decode(), match["name"].decode("utf-8", "replace")
    )


def signed_tag(data: bytes) -> Signed:
    """Text and signature of a tag. Raises ObjectError if it has none by OpenPGP."""
    # As git does: the signature is the last of what looks like one.
    end = data.rfind(_SIGNATURE)
    if end < 0:
        raise ObjectError("the tag has no OpenPGP signature")
    return Signed(data[: end + 1], data[end + 1 :])


def signed_commit(data: bytes) -> Signed:
    """Text and signature of a commit, which is one of its headers. Raises ObjectError."""
    if not _COMMIT.match(data):
        raise ObjectError("it is no commit")
    headers, _empty, message = data.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    inside = False
    for line in headers.split(b"\n"):
        inside = line.startswith(_HEADER) or (inside and line.startswith(b" "))
        if not inside:
            kept.append(line)
        elif line.startswith(_HEADER):
            if signature:
                raise ObjectError("the commit has two signatures")
            signature.append(line[len(_HEADER) :])
        else:
            signature.append(line[1:])
    if not signature:
        raise ObjectError("the commit has no OpenPGP signature")
    text = b"\n".join(kept) + b"\n\n" + message
    return Signed(text, b"\n".join(signature) + b"\n")
