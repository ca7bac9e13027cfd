# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot loader and the system tell each other, by the Boot Loader Interface."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

DIRECTORY = "sys/firmware/efi/efivars"
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_ATTRIBUTES = 4


def path(directory: Path, name: str) -> Path:
    return directory / f"{name}-{VENDOR}"


def _content(directory: Path, name: str) -> Optional[bytes]:
    try:
        return path(directory, name).read_bytes()[_ATTRIBUTES:]
    except OSError:
        return None


def text(directory: Path, name: str) -> str:
    """'' if there is no such variable."""
    content = _content(directory, name) or b""
    return content.decode("utf-16-le", errors="replace").rstrip("\0")


def number(directory: Path, name: str) -> int:
    """0 if there is no such variable."""
    return int.from_bytes(_content(directory, name) or b"", "little")
