# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EFI variables: those of the Boot Loader Interface, by which loader and system communicate, and
those of Secure Boot."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

DIRECTORY = "sys/firmware/efi/efivars"
# Of the Boot Loader Interface.
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
# Of the EFI specification, of its signature databases, and of shim.
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
# The kernel puts four bytes of attributes before the value.
_ATTRIBUTES = 4
# A list of certificates has some ten thousand bytes.
_LARGEST = 1 << 20
_NUMBER = 8  # bytes of the largest, by the interface


def path(directory: Path, name: str, vendor: str = VENDOR) -> Path:
    return directory / f"{name}-{vendor}"


def value(directory: Path, name: str, vendor: str = VENDOR) -> Optional[bytes]:
    """None if there is no such variable, or it cannot be read."""
    try:
        return bounded_read.content(path(directory, name, vendor), _LARGEST)[_ATTRIBUTES:]
    except OSError:
        return None


def text(directory: Path, name: str) -> str:
    """Empty if there is no such variable."""
    found = value(directory, name) or b""
    return found.decode("utf-16-le", errors="replace").rstrip("\0")


def number(directory: Path, name: str) -> int:
    """0 if there is no such variable, or it is no number."""
    found = value(directory, name) or b""
    return int.from_bytes(found, "little") if len(found) <= _NUMBER else 0
