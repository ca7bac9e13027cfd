# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read apt's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner


def values(run: Runner, options: Mapping[str, str]) -> dict[str, str]:
    """Of those that are set. `options`: by capital letters under which a value is returned.

    An option has `/f` at its end for a file with its directory, `/d` for a directory.
    """
    asked = [word for pair in options.items() for word in pair]
    _code, out, _err = run(["apt-config", "shell", *asked])
    return dict(re.findall(r"^([A-Z]+)='([^']+)'$", out, re.MULTILINE))


def value(run: Runner, option: str) -> str:
    """Of one option; '' if it is not set."""
    return values(run, {"FOUND": option}).get("FOUND", "")
