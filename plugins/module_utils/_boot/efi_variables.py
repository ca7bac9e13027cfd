# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot loader and the system tell each other, by the Boot Loader Interface."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

DIRECTORY = "sys/firmware/efi/efivars"
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_ATTRIBUTES = 4
_LARGEST = 64 << 10
_NUMBER = 8  # bytes of the largest, as the interface has them


def path(directory: Path, name: str) -> Path:
    return directory / f"{name}-{VENDOR}"


def _content(directory: Path, name: str) -> Optional[bytes]:
    try:
        return bounded_read.content(path(directory, name), _LARGEST)[_ATTRIBUTES:]
    except OSError:
        return None


def text(directory: Path, name: str) -> str:
    """'' if there is no such variable."""
    content = _content(directory, name) or b""
    return content.decode("utf-16-le", errors="replace").rstrip("\0")


def number(directory: Path, name: str) -> int:
    """0 if there is no such variable, or it is no number."""
    content = _content(directory, name) or b""
    return int.from_bytes(content, "little") if len(content) <= _NUMBER else 0
