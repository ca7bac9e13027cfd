# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a finished build its name in the store, whoever else uses the same store.

What is not finished stands in directories whose names begin with a dot. A store may be shared:
by several trees, and, mounted, by several builders.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# Nobody takes so long to store a build: seconds after which any unfinished one is refuse.
STALE = 24 * 3600


def temporary_prefix(tree: Path, host: str = "") -> str:
    """Of this tree's directories in the store; no other tree, here or elsewhere, has the same."""
    place = f"{host or socket.gethostname()}:{tree}"
    return f".{hashlib.sha256(place.encode()).hexdigest()[:12]}-"


def temporary_directory(store: Path, prefix: str, now: float) -> Path:
    """A new one. Those of runs that were killed are removed; a tree has one run at a time."""
    workdir.make(store)
    for path in store.glob(".*-*"):
        with contextlib.suppress(OSError):
            if path.name.startswith(prefix) or path.stat().st_mtime < now - STALE:
                shutil.rmtree(path)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=store))


def sync(directory: Path) -> None:
    """On the disk before it bears its name, so that a power cut leaves no empty packages."""
    for path in [*directory.iterdir(), directory]:
        atomic_file.sync(path)


def put(new: Path, target: Path, prefix: str, is_good: Callable[[], bool]) -> bool:
    """Rename `new` to `target`; False if another run has just put a good one there.

    What is there and not good, or is to be replaced, makes room.
    """
    for _attempt in range(5):
        try:
            new.replace(target)
        except OSError:
            if not target.exists():
                raise
        else:
            atomic_file.sync(target.parent)
            return True
        if is_good():
            return False
        old = temporary_directory(target.parent, prefix + "old-", time.time())
        with contextlib.suppress(FileNotFoundError):  # the other run made room
            target.replace(old / "build")
        shutil.rmtree(old, ignore_errors=True)
    raise OSError(f"{target} is being replaced over and over by other builds: run it again")
