# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language in which programs are run whose output is read or shown."""

from __future__ import annotations

import os

#: The host's own would be that of its administrator, or, by way of ssh, that of the control node.
#: Both, for LANGUAGE overrules LC_ALL=C.UTF-8 (as it does not overrule LC_ALL=C).
LOCALE = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def environment(**more: str) -> dict[str, str]:
    """That of this process, in this language, with `more`."""
    return {**os.environ, **LOCALE, **more}
