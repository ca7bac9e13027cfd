# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a `.config`."""

from __future__ import annotations

import re
from typing import Optional

_LINE = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)|# CONFIG_([A-Za-z0-9_]+) is not set\r?")


def entry(line: str) -> Optional[tuple[str, str]]:
    """Symbol (without CONFIG_) and value as it is written, `n` for one that is not set."""
    match = _LINE.fullmatch(line)
    return (match[1] or match[3], match[2] if match[1] else "n") if match else None


def parse(text: str) -> dict[str, str]:
    """All its entries."""
    return dict(filter(None, map(entry, text.splitlines())))


def line(name: str, value: str) -> str:
    return f"# CONFIG_{name} is not set" if value == "n" else f"CONFIG_{name}={value}"
