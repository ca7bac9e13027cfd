# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which modules DKMS builds on a host, and for which kernels it has built them. Only reads.

Of /var/lib/dkms, or the directory of dkms_tree, which is the same in dkms 2 and 3:
NAME/VERSION/source is a link to the sources, NAME/VERSION/RELEASE/ARCHITECTURE/module has what was
built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import is_there, read

TREE = Path("var/lib/dkms")
_SETTINGS = Path("etc/dkms/framework.conf")
# Made by the administrator: no module is built on its own.
_NO_AUTOINSTALL = Path("etc/dkms/no-autoinstall")
#: NAME/VERSION; what else is there is no module.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]{0,127}/[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,127}")
_RELEASE = re.compile(r"[0-9][A-Za-z0-9.+~_-]{0,63}")
# A script of the shell's, too: of its assignments those of a plain path.
_OTHER_TREE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?dkms_tree=(["']?)(/[A-Za-z0-9/._+-]*)\1[ \t]*(?:[;#].*)?$""",
    re.MULTILINE,
)
# dkms.conf is a script of the shell's: its assignments, but those in a comment.
_AUTOINSTALL = re.compile(r"""^[ \t]*AUTOINSTALL=["']?[^"'\s#]""", re.MULTILINE)
_EXCLUSIVE = re.compile(r"^[ \t]*BUILD_EXCLUSIVE_[A-Z_]+=", re.MULTILINE)


def _directories(path: Path) -> Iterator[Path]:
    try:
        inside = sorted(path.iterdir())
    except (OSError, ValueError):
        return
    yield from (entry for entry in inside if not entry.is_symlink() and entry.is_dir())


def _tree(root: Path) -> Path:
    """Where dkms keeps its modules. It reads these files in this order, so the last word counts."""
    tree = TREE
    try:
        more = sorted((root / f"{_SETTINGS}.d").glob("*.conf"))
    except OSError:
        more = []
    for path in (root / _SETTINGS, *more):
        for _quote, found in _OTHER_TREE.findall(read(path)):
            if ".." not in found.split("/"):
                tree = Path(found.lstrip("/"))
    return root / tree


def _versions(root: Path) -> Iterator[tuple[str, Path]]:
    for module in _directories(_tree(root)):
        for version in _directories(module):
            name = f"{module.name}/{version.name}"
            if NAME.fullmatch(name) and (version / "source").is_symlink():
                yield name, version


def registered(root: Path) -> list[str]:
    """NAME/VERSION of each that `dkms status` would show."""
    return [name for name, _path in _versions(root)]


def built_for(root: Path, release: str) -> dict[str, list[str]]:
    """The files of each that were built for a kernel; none if it was not."""
    return {
        name: sorted(one.name for one in (path / release).glob("*/module/*.ko*"))
        for name, path in _versions(root)
    }


def _releases(version: Path) -> list[str]:
    """Kernels for which it was built; a build that failed leaves no directory of a kernel."""
    return [
        release.name
        for release in _directories(version)
        if _RELEASE.fullmatch(release.name) and any(release.glob("*/module/*.ko*"))
    ]


def dkms_facts(root: Path) -> dict[str, Any]:
    versions = dict(_versions(root))
    disabled = is_there(root / _NO_AUTOINSTALL)
    configured = {
        name: read(path / "source" / "dkms.conf") for name, path in versions.items() if not disabled
    }
    return {
        "dkms_modules": {name: _releases(path) for name, path in versions.items()},
        # One that is only for some kernels may well not be for the next one.
        "dkms_automatic": [
            name
            for name, text in configured.items()
            if _AUTOINSTALL.search(text) and not _EXCLUSIVE.search(text)
        ],
    }
