# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `journalctl --output=json` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

#: MESSAGE_ID of sd-messages.h: a unit's job failed, a unit failed.
JOB_FAILED = "be02cf6855d2428ba40df7e9d022f03d"
UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"


def entries(data: bytes) -> Iterator[dict[str, Any]]:
    """The entries, one of each line; lines that hold none are left out."""
    for line in data.split(b"\n"):
        try:
            entry = bounded_read.parse_json(line.decode("utf-8", "replace"))
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def message(entry: Mapping[str, Any]) -> str:
    """The text of an entry; empty if it has none."""
    text = entry.get("MESSAGE")
    # What is no UTF-8 is a list of bytes.
    if isinstance(text, list) and all(type(one) is int and 0 <= one < 256 for one in text):
        text = bytes(text).decode("utf-8", "replace")
    return text if isinstance(text, str) else ""
