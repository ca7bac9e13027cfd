# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch of the user's: a file here, or an address with the checksum of what is there."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional
from urllib.parse import unquote, urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    DownloadError,
    Limits,
    Opener,
    read,
)

LARGEST = 64 << 20


class PatchError(Exception):
    """This entry of patch_series cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Wanted:
    """One entry of patch_series."""

    source: str
    sha256: str = ""

    @property
    def is_url(self) -> bool:
        return bool(re.match(r"[a-z][a-z0-9+.-]+://", self.source))

    @property
    def name(self) -> str:
        path = unquote(urlsplit(self.source).path) if self.is_url else self.source
        return Path(path).name or self.source


def parse(entry: Any, index: int) -> Wanted:
    """A path, or {source: path or address, sha256: checksum}."""
    where = f"patch_series[{index}]"
    known = {"source": entry} if isinstance(entry, str) else entry
    if not isinstance(known, dict) or not known.get("source"):
        raise PatchError(f"{where} must be a path, or have 'source' (a path or URL) and 'sha256'")
    unknown = sorted(set(known) - {"source", "sha256"})
    if unknown:
        raise PatchError(f"{where} has {', '.join(unknown)}: only source and sha256 are known")
    wanted = Wanted(str(known["source"]), str(known.get("sha256") or "").lower())
    if wanted.sha256 and not SHA256.fullmatch(wanted.sha256):
        raise PatchError(f"{where}: sha256 {wanted.sha256!r} is not 64 hexadecimal digits")
    if wanted.is_url and not wanted.sha256:
        raise PatchError(
            f"{where}: {wanted.source} needs the sha256 of what is there, so that it is the same "
            "each time"
        )
    return wanted


def _text(data: bytes, wanted: Wanted) -> str:
    actual = hashlib.sha256(data).hexdigest()
    if wanted.sha256 and actual != wanted.sha256:
        raise PatchError(
            f"patch_series: {wanted.source}: sha256 is {actual}, expected {wanted.sha256}"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PatchError(f"patch_series: {wanted.source} is not text: {error}") from error


def from_file(file: Path, wanted: Wanted) -> str:
    """The patch that is in this file."""
    try:
        return _text(file.read_bytes(), wanted)
    except OSError as error:
        raise PatchError(f"patch_series: cannot read {wanted.source}: {error}") from error


def _cached(file: Path, wanted: Wanted) -> Optional[str]:
    try:
        return _text(file.read_bytes(), wanted)
    except (OSError, PatchError):
        return None


def text_of(
    wanted: Wanted, find: Callable[[str], str], cache: Path, opener: Opener, limits: Limits
) -> str:
    """The patch, from its file, from the cache (by checksum) or from its address."""
    if not wanted.is_url:
        return from_file(Path(find(wanted.source)), wanted)
    file = cache / f"{wanted.sha256}.patch"
    text = _cached(file, wanted)
    if text is not None:
        return text
    try:
        data = read(wanted.source, opener, limits, LARGEST)
    except DownloadError as error:
        raise PatchError(f"patch_series: cannot fetch {wanted.source}: {error}") from error
    text = _text(data, wanted)
    workdir.make(cache)
    atomic_file.write(file, data, 0o644)
    return text
