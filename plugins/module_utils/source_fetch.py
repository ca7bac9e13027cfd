# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download a kernel's source from the first mirror that has it right."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable, Optional

CHUNK = 1 << 20

# url → readable stream; raises OSError (urllib's errors are) where the mirror does not answer
Opener = Callable[[str], "IO[bytes]"]


class FetchError(Exception):
    """No mirror had the file; the message names each with what was wrong there."""


@dataclass
class Fetched:
    path: str
    sha256: str
    url: str = ""
    changed: bool = False
    attempts: list[dict[str, str]] = field(default_factory=list)


def kernel_org_directory(version: str) -> str:
    """Where kernel.org and its mirrors keep a version: v6.x/ and so on."""
    return f"v{version.split('.', 1)[0]}.x"


def kernel_org_tarball(version: str) -> str:
    return f"linux-{version}.tar.xz"


def file_sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            total.update(chunk)
    return total.hexdigest()


def listed_sha256(listing: str, name: str) -> Optional[str]:
    """The checksum of `name` in a listing of sha256sum's form."""
    match = re.search(rf"^([0-9a-f]{{64}})[ \t]+\*?{re.escape(name)}$", listing, re.MULTILINE)
    return match.group(1) if match else None


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while True:
        chunk = stream.read(CHUNK)
        if not chunk:
            return
        yield chunk


def _download(url: str, part: Path, opener: Opener) -> str:
    """Write the answer into `part`, give its hash."""
    total = hashlib.sha256()
    with opener(url) as stream, part.open("wb") as out:
        for chunk in _chunks(stream):
            total.update(chunk)
            out.write(chunk)
    return total.hexdigest()


def fetch(
    mirrors: Sequence[str], version: str, directory: Path, sha256: str, opener: Opener
) -> Fetched:
    """The verified tarball of `version` in `directory`.

    With an empty `sha256` the checksum is read from the listing beside the tarball, which guards
    against damage, not against a mirror that lies.
    """
    name = kernel_org_tarball(version)
    dest = directory / name
    if sha256 and dest.is_file() and file_sha256(dest) == sha256:
        return Fetched(str(dest), sha256)

    part = directory / f".{name}.part"
    attempts: list[dict[str, str]] = []
    for mirror in mirrors:
        base = f"{mirror.rstrip('/')}/{kernel_org_directory(version)}"
        url = f"{base}/{name}"
        try:
            wanted = sha256 or _listed(base, name, opener)
            if dest.is_file() and file_sha256(dest) == wanted:
                return Fetched(str(dest), wanted, url, attempts=attempts)
            actual = _download(url, part, opener)
            if actual != wanted:
                raise FetchError(f"sha256 is {actual}, expected {wanted}")
            part.replace(dest)
            return Fetched(str(dest), wanted, url, changed=True, attempts=attempts)
        except (OSError, FetchError, ValueError) as error:
            attempts.append({"url": url, "error": str(error)})
        finally:
            part.unlink(missing_ok=True)
    tried = "; ".join(f"{item['url']}: {item['error']}" for item in attempts)
    raise FetchError(
        f"no mirror of source_mirrors has Linux {version} as it should be. Check source_version "
        f"and source_sha256, or add a mirror. Tried: {tried or 'none (the list is empty)'}"
    )


def _listed(base: str, name: str, opener: Opener) -> str:
    with opener(f"{base}/sha256sums.asc") as stream:
        found = listed_sha256(stream.read(16 << 20).decode("utf-8", "replace"), name)
    if not found:
        raise FetchError(f"sha256sums.asc does not list {name}")
    return found


def find(mirrors: Sequence[str], version: str, opener: Opener) -> str:
    """The address of the first mirror that answers for `version`, without downloading it."""
    errors = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{kernel_org_directory(version)}/{kernel_org_tarball(version)}"
        try:
            with opener(url) as stream:
                stream.read(1)
            return url
        except (OSError, ValueError) as error:
            errors.append(f"{url}: {error}")
    raise FetchError(
        f"source_version {version}: no mirror of source_mirrors has it. Tried: "
        f"{'; '.join(errors) or 'none (the list is empty)'}"
    )
