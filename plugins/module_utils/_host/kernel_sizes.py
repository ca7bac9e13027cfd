# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the space of a kernel on a host with that of the distribution's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    manifest,
    text_table,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.natural_sort import natural_key
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import INSTALL_RECORD

PARTS = ("image", "initrd", "modules")


def _file_size(path: Path) -> Optional[int]:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _tree_size(top: Path) -> Optional[int]:
    """Of the files in a directory, without the headers that its links lead to."""
    if not top.is_dir():
        return None
    size = 0
    for directory, _below, names in os.walk(top):
        for name in names:
            about = Path(directory, name).lstat()
            size += about.st_size if stat.S_ISREG(about.st_mode) else 0
    return size


def measure(root: Path, release: str) -> dict[str, Optional[int]]:
    """Bytes of image, initrd and modules; None for what is not there."""
    return {
        "image": _file_size(root / f"boot/vmlinuz-{release}"),
        "initrd": _file_size(root / f"boot/initrd.img-{release}"),
        "modules": _tree_size(root / "lib/modules" / release),
    }


def stock_release(root: Path, release: str) -> str:
    """The distribution's kernel to compare with; empty if there is none besides `release`.

    The one that the host ran before it got ours, or else the newest.
    """
    prefix = "vmlinuz-"
    others = [path.name[len(prefix) :] for path in (root / "boot").glob(f"{prefix}*")]
    stock = [
        other
        for other in sorted(others, key=natural_key)
        if other != release and not manifest.path(other, root).exists()
    ]
    before = (json_file.read(root / INSTALL_RECORD) or {}).get("fallback")
    return str(before) if before in stock else stock[-1] if stock else ""


def gather(root: Path, release: str = "") -> dict[str, Any]:
    """Everything that the module returns."""
    running = bounded_read.text(root / "proc/sys/kernel/osrelease").strip()
    release = release or running
    stock = stock_release(root, release)
    return {
        "release": release,
        "sizes": measure(root, release),
        "stock_release": stock,
        "stock_sizes": measure(root, stock) if stock else {},
    }


# --- as text -----------------------------------------------------------------------------------


def _mib(size: Optional[int]) -> str:
    return "-" if size is None else f"{size / 2**20:.1f} MiB"


def _total(sizes: Mapping[str, Optional[int]]) -> Optional[int]:
    known = [sizes[part] for part in PARTS if sizes.get(part) is not None]
    return sum(size for size in known if size) if len(known) == len(PARTS) else None


def _ratio(size: Optional[int], stock: Optional[int]) -> str:
    return f"{size / stock:.2f}" if size is not None and stock else "-"


def table(found: Mapping[str, Any]) -> list[str]:
    """What `gather` returned, in aligned columns; without a stock kernel there are two."""
    sizes = {**found["sizes"], "together": _total(found["sizes"])}
    rows = [["size", str(found["release"])]]
    rows += [[part, _mib(sizes[part])] for part in (*PARTS, "together")]
    if found["stock_release"]:
        stock = {**found["stock_sizes"], "together": _total(found["stock_sizes"])}
        rows[0] += [str(found["stock_release"]), "ratio"]
        for row in rows[1:]:
            row += [_mib(stock[row[0]]), _ratio(sizes[row[0]], stock[row[0]])]
    return text_table.lines(rows, right=range(1, len(rows[0])))
