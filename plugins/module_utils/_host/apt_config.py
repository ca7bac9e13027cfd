# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read apt's configuration."""

from __future__ import annotations

import re

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner


def value(run: Runner, option: str) -> str:
    """Of one option, `/f` at its end for a file with its directory; '' if it is not set."""
    _code, out, _err = run(["apt-config", "shell", "FOUND", option])
    found = re.search(r"^FOUND='([^']+)'$", out, re.MULTILINE)
    return found[1] if found else ""
