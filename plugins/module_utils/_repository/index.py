# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed index of an apt repository (InRelease): which one it is, and how old.

apt takes any index with a good signature. Whoever stands between it and the builder can give out
one of last year for ever. So the publication is noted, and a target's index is compared with it.
"""

from __future__ import annotations

import calendar
import errno
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_tz
from hashlib import sha256
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp

# One of ours has some KiB.
LIMIT = 1 << 20
_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
_END = "-----BEGIN PGP SIGNATURE-----"
_HEADER = re.compile(r"Hash: [A-Za-z0-9, -]+")
_DATE = re.compile(r"^Date:[ \t]*(.+?)[ \t]*$", re.MULTILINE)


class IndexFileError(Exception):
    """It is not an index, or not the one that is wanted; the message says what to do."""


@dataclass(frozen=True)
class Index:
    """`sha256` of the whole file InRelease, `date` in seconds since 1970 (UTC)."""

    sha256: str
    date: int

    @property
    def when(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.date))


def signed_text(content: str, where: str) -> str:
    """What the signature is for: anybody can add text before and behind it."""
    # As apt reads it: a line ends at a line feed only, and white space behind it does not count.
    lines = [line.rstrip(" \t\r\v\f") for line in content.split("\n")]
    if lines[0] != _BEGIN or lines.count(_BEGIN) != 1 or lines.count(_END) != 1:
        raise IndexFileError(f"{where} is not a signed index (InRelease)")
    head, body = lines[1 : lines.index(_END)], []
    if "" in head:
        head, body = head[: head.index("")], head[head.index("") + 1 :]
    # Nobody has signed these, and apt takes any text behind 'Hash:'.
    if not body or not all(_HEADER.fullmatch(line) for line in head):
        raise IndexFileError(f"{where} is not a signed index (InRelease)")
    return "\n".join(body)


def parse(data: bytes, where: str) -> Index:
    """Of an InRelease. The signature is not checked here. Raises IndexFileError."""
    dates = _DATE.findall(signed_text(data.decode("utf-8", "replace"), where))
    parsed = parsedate_tz(dates[0]) if len(dates) == 1 else None
    if parsed is None:
        raise IndexFileError(f"{where} has no usable Date")
    try:
        seconds = calendar.timegm((*parsed[:6], 0, 0, 0)) - (parsed[9] or 0)
    except (ValueError, OverflowError):
        raise IndexFileError(f"{where} has no usable Date") from None
    return Index(sha256(data).hexdigest(), int(seconds))


def content(path: Path, limit: int = LIMIT) -> bytes:
    """Of a file. Raises IndexFileError if it is larger; OSError if it cannot be read."""
    try:
        return bounded_read.content(path, limit)
    except OSError as error:
        # One that is too large is a wrong file, and not one that cannot be read.
        if error.errno != errno.EFBIG:
            raise
        raise IndexFileError(f"{path} is {error.strerror}, so it is none of ours") from error


def read(path: Path) -> Index:
    """Of a file. Raises IndexFileError; OSError if it cannot be read."""
    return parse(content(path), str(path))


def read_signature(path: Path) -> bytes:
    """Of an InRelease, in binary form. Raises IndexFileError; OSError if it cannot be read."""
    text = content(path).decode("utf-8", "replace")
    try:
        return openpgp.dearmor(text[text.rfind(_END) :], str(path))
    except openpgp.SignatureError as error:
        raise IndexFileError(str(error)) from error


def older(found: Index, published: Index) -> str:
    """Why `found` is not the published index or a later one; '' if it is.

    Of the same second only the very same: dates of an index have no fractions.
    """
    if found.sha256 == published.sha256 or found.date > published.date:
        return ""
    if found.date == published.date:
        return f"it is another one of the same second ({found.when})"
    return f"it is of {found.when}, and the one that was published is of {published.when}"


# --- the key -----------------------------------------------------------------------------------


def fingerprints(run: Runner, public_key: str, where: str, home: Path) -> list[str]:
    """Of the primary keys in a text. `home`: an empty directory of mode 0700.

    Of all blocks of the text: gpg itself reads the first one only, and apt may read more.
    """
    try:
        key = home / "keys.gpg"
        key.write_bytes(openpgp.dearmor(public_key))
    except openpgp.SignatureError as error:
        raise IndexFileError(f"{where} is not a public key: {error}") from error
    code, out, err = run(
        [
            *("gpg", "--batch", "--no-options", "--homedir", str(home), "--no-autostart"),
            *("--with-colons", "--show-keys", str(key)),
        ]
    )
    if code != 0:
        raise IndexFileError(f"{where} is not a public key: {output_summary(out, err)}")
    found: list[str] = []
    primary = False
    for line in out.splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sub", "sec", "ssb"):
            primary = fields[0] in ("pub", "sec")
        elif fields[0] == "fpr" and primary and len(fields) > 9:
            found.append(fields[9])
            primary = False
    return found


def check_signature(run: Runner, release: Path, public_key: str, fingerprint: str) -> None:
    """Raise IndexFileError unless `fingerprint`, out of `public_key`, made the signature."""

    def feed(argv: Sequence[str], _contents: object) -> tuple[int, str]:
        code, out, _err = run(argv)
        return code, out

    keys = openpgp.Keys(public_key, [fingerprint])
    try:
        openpgp.verify_clearsigned(keys, release.read_bytes(), feed)
    except openpgp.SignatureError as error:
        raise IndexFileError(f"{release} is not signed by {fingerprint}: {error}") from error
