# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a `.config`."""

from __future__ import annotations

import re

_LINE = re.compile(r"^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$")


def parse(text: str) -> dict[str, str]:
    """Symbol (without CONFIG_) -> value as it is written, `n` for one that is not set."""
    values = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            values[match[1] or match[3]] = match[2] if match[1] else "n"
    return values


def line(name: str, value: str) -> str:
    return f"# CONFIG_{name} is not set" if value == "n" else f"CONFIG_{name}={value}"
