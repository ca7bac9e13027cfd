# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put into a message what others wrote: it may be long, or speak to the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

MOST = 200  # characters
#: Of a line of a message: Ansible shows it four to eight columns to the right.
WIDTH = 92
FEW = 6  # names in a sentence


def shown(text: str, most: int = MOST) -> str:
    """One line of at most `most` characters, without those that a terminal acts on."""
    line = " ".join(text[: 2 * most].split())
    plain = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
    return plain if len(plain) <= most and len(text) <= 2 * most else f"{plain[:most]}…"


def few(texts: Sequence[str], most: int = FEW, separator: str = ", ") -> str:
    """The first `most` of them, and how many more there are."""
    more = f"{separator.lstrip(',')}and {len(texts) - most} more" if len(texts) > most else ""
    return separator.join(texts[:most]) + more


def wrapped(text: str, width: int = WIDTH) -> str:
    """The same in lines that fit a terminal; what can be copied is not cut."""
    return "\n".join(
        line
        if len(line) <= width
        else textwrap.fill(
            line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        for line in text.split("\n")
    )


def without_password(url: str) -> str:
    """The address without the name and password of a user, which are nobody else's business."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all; whoever opens it says so
        return url
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
