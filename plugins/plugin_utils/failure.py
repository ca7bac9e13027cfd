# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason of a failed task, from its result."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text

#: Enough to recognize the cause; the whole message was shown when the task failed.
LENGTH = 600
#: Of what a program printed on each of its streams: the end, where the reason is.
OF_EACH = 250
_MEANINGLESS = ("", "non-zero return code", "MODULE FAILURE")
#: As the module `apt` begins; five packages with their versions would leave no room for the reason.
_QUOTED = re.compile(r"'(\S+)\s.*?' failed: ", re.DOTALL)


def _command(result: Mapping[str, Any]) -> str:
    command = result.get("cmd", "")
    return " ".join(map(str, command)) if isinstance(command, (list, tuple)) else str(command)


def _one(result: Mapping[str, Any]) -> str:
    message = str(result.get("msg") or "").strip()
    if not any(message == word or (word and message.startswith(word)) for word in _MEANINGLESS):
        quoted = _QUOTED.match(message)
        return f"`{quoted[1]}` failed: {message[quoted.end() :]}" if quoted else message
    streams = (str(result.get(name) or "").strip() for name in ("stdout", "stderr"))
    output = " ".join(text[-OF_EACH:] for text in streams if text)
    if result.get("cmd"):
        ended = f"`{_command(result)}` ended with {result.get('rc', 'an error')}"
        return f"{ended}: {output}" if output else ended
    return output or message or "no reason given"


def reason(result: Mapping[str, Any]) -> str:
    """One line, safe to print. Of a loop, the items that failed."""
    items = result.get("results")
    failed = [
        item
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, Mapping) and item.get("failed")
    ]
    text = "; ".join(_one(item) for item in failed) if failed else _one(result)
    return plain_text.sentence(text, LENGTH)
