# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of a host's configuration: which differ, and how to write these."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file

#: Of a directory that is made for a file.
DIRECTORY_MODE = 0o755
#: More of a file is not shown, nor read: it is another one than was written.
_LARGEST = 1 << 20


class ConfigFileError(Exception):
    """A file that cannot be read, written or removed; said to the user as it is."""


class Wanted(NamedTuple):
    path: Path
    #: None: the file must not be there.
    content: Optional[str]
    mode: int
    #: Whether a file that is there is replaced.
    force: bool = True


class Present(NamedTuple):
    """What is there."""

    content: bytes
    mode: int


class Difference(NamedTuple):
    wanted: Wanted
    #: None: there is no file.
    before: Optional[Present]

    @property
    def diff(self) -> dict[str, str]:
        """As Ansible shows it."""
        path = str(self.wanted.path)
        before = self.before.content.decode("utf-8", "replace") if self.before else ""
        after = self.wanted.content or ""
        if self.before and self.wanted.content is not None and before == after:
            before, after = f"mode: {self.before.mode:04o}\n", f"mode: {self.wanted.mode:04o}\n"
        return {"before_header": path, "after_header": path, "before": before, "after": after}


def read(path: Path) -> Optional[Present]:
    """None if nothing has this name. Raises ConfigFileError for what is no file."""
    try:
        # Nobody may ever write to a pipe.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigFileError(f"{path} is no file. Rename it and run this again.")
            return Present(file.read(_LARGEST), stat.S_IMODE(status.st_mode))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigFileError(f"{path} cannot be read: {error.strerror}.") from error


def differences(wanted: Iterable[Wanted]) -> list[Difference]:
    """Those that are to be written or removed. Raises ConfigFileError."""
    found = []
    for one in wanted:
        if one.content is None and one.path.is_symlink():
            # Whatever it points to stays.
            found.append(Difference(one, Present(os.fsencode(f"-> {one.path.readlink()}\n"), 0)))
            continue
        before = read(one.path)
        content = None if one.content is None else one.content.encode("utf-8", "surrogateescape")
        after = None if content is None else Present(content, one.mode)
        stays = before is not None and not one.force
        if before != after and not stays:
            found.append(Difference(one, before))
    return found


def apply(found: Iterable[Difference]) -> None:
    """Each in one step. Raises ConfigFileError; those before it are written then."""
    for one in found:
        # A link stays, and what it points to is replaced.
        path = Path(os.path.realpath(one.wanted.path))
        try:
            if one.wanted.content is None:
                atomic_file.remove(one.wanted.path)
                continue
            _make_directories(path.parent)
            atomic_file.write(path, one.wanted.content, one.wanted.mode)
        except OSError as error:
            raise ConfigFileError(
                f"{one.wanted.path} cannot be written: {error.strerror}. It is as it was."
            ) from error


def _make_directories(path: Path) -> None:
    """With their mode, whatever the umask is."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir()
        one.chmod(DIRECTORY_MODE)
