# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums of streams, read in pieces. That of a file is `bounded_read.sha256`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import IO

CHUNK = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        digest.update(chunk)
    return digest.hexdigest()


def digests(stream: IO[bytes], names: Sequence[str]) -> dict[str, str]:
    """Algorithm (`sha256`, `md5`) → checksum in hexadecimal, all in one reading."""
    # Old ones serve to compare with what dpkg knows, also where they are forbidden for secrets.
    made = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        for digest in made.values():
            digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in made.items()}
