# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sort versions and releases as people do: 6.10 after 6.9."""

from __future__ import annotations

import re

#: The largest number that is compared as one; Python refuses to convert those of thousands.
_DIGITS = re.compile("[0-9]{1,100}")


def natural_key(text: str) -> list[tuple[int, str]]:
    """A sort key. Numbers come after other text."""
    words = re.findall("[0-9]+|[^0-9]+", text)
    return [(int(word), "") if _DIGITS.fullmatch(word) else (-1, word) for word in words]
