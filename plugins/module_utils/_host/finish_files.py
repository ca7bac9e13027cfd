# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host that pulls keeps of the build that it begins with: its trial boot asks no network.

That is the signed description, and the list of the build's files. They stand in the directory of
what a trial boot needs, which trial-on-host, of the role trial, removes when the trial boot is
over. Nothing here is believed: who reads it checks signature and checksum.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
)

DIRECTORY = Path("/var/lib/oslab-kernel/finish")
_DESCRIPTION, _LIST = ".asc", ".json"


def _stem(image: str) -> str:
    """Of files of a build; a release or a version may be longer than a file's name."""
    return sha256(image.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def list_path(image: str, directory: Path = DIRECTORY) -> Path:
    return directory / f"{_stem(image)}{_LIST}"


def description(image: str, limit: int, directory: Path = DIRECTORY) -> Optional[bytes]:
    """The signed description that names this build; None if there is none.

    :param image: the kernel's package, as name=version.
    """
    try:
        return bounded_read.content(directory / f"{_stem(image)}{_DESCRIPTION}", limit)
    except OSError:
        return None


def has_list(image: str, checksum: str, limit: int, directory: Path = DIRECTORY) -> bool:
    with contextlib.suppress(OSError):
        return bounded_read.sha256(list_path(image, directory), limit) == checksum
    return False


def keep(
    image: str,
    message: bytes,
    listed: Optional[bytes],
    earlier: str = "",
    directory: Path = DIRECTORY,
) -> None:
    """Write what is not there yet. Raises OSError.

    :param message: the signed description.
    :param listed: the list of files; None if it is there, or if there is none.
    :param earlier: another build whose files stay: its trial boot may be the next boot, until this
        one is installed.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    stays = (_stem(image), _stem(earlier))
    for path in sorted(directory.iterdir()):
        if path.suffix in (_DESCRIPTION, _LIST) and path.stem not in stays:
            path.unlink()
    for suffix, content in ((_LIST, listed), (_DESCRIPTION, message)):
        path = directory / f"{_stem(image)}{suffix}"
        if content is not None and (not path.exists() or path.read_bytes() != content):
            atomic_file.write(path, content, 0o600)
