# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program that failed has printed, as one sentence of a message.

Programs give their reason on either stream: aptly names the file and the fault on standard output,
and says on standard error only that something failed. So both are in the message.
"""

from __future__ import annotations

LINES = 5
LENGTH = 500


def told(out: str, err: str, lines: int = LINES, length: int = LENGTH) -> str:
    """The last lines of each stream, joined by slashes; "no output" if there are none.

    `length`: characters of each stream; of more the end is kept.
    """
    parts: list[str] = []
    for text in (out, err):
        kept = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
        said = " / ".join(kept)[-length:]
        if said and said not in parts:
            parts.append(said)
    return " / ".join(parts) or "no output"
