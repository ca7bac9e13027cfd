# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that list kernel modules to load at boot, and their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, bounded_read

_LARGEST = 1 << 20

NAME = "oslab-kernel.conf"
MARK = "# Managed by Ansible (oslab.kernel.kernel_modules).\n"


class Entry(NamedTuple):
    """A module to be loaded; the values are spelled as modprobe takes them."""

    name: str
    params: Mapping[str, str]


def _options(entry: Entry) -> str:
    values = " ".join(f"{name}={value}" for name, value in entry.params.items())
    return f"options {entry.name} {values}\n"


def present(path: Path) -> Optional[str]:
    """What a file holds now; None if it is not there.

    Something else of its name holds nothing that is wanted: it is replaced, or removed.
    """
    try:
        return bounded_read.text(path, _LARGEST, errors="backslashreplace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"({error.strerror})\n"


def write(path: Path, text: Optional[str]) -> None:
    """Have the file hold the text; None: have it gone. Raises OSError."""
    if text is None:
        atomic_file.remove(path)
        return
    if not path.parent.is_dir():
        path.parent.mkdir(0o755)
        path.parent.chmod(0o755)
    atomic_file.write(path, text, 0o644)


def files(
    entries: Sequence[Entry], persistent: bool, etc: Path = Path("/etc")
) -> dict[Path, Optional[str]]:
    """What each file is to hold; None: it is not to be there.

    The parameters come first: what is loaded at boot never comes up without them.
    """
    paths = [etc / directory / NAME for directory in ("modprobe.d", "modules-load.d")]
    if not persistent or not entries:
        return dict.fromkeys(paths)
    options = "".join(_options(entry) for entry in entries if entry.params)
    names = "".join(f"{entry.name}\n" for entry in entries)
    return dict(zip(paths, (MARK + options, MARK + names)))
