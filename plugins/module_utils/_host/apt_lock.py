# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether apt, dpkg or debconf failed because another program holds a lock, which ends by itself.

By their own messages alone: "block", and a lock of others, are in the output of hooks, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

_WAIT = 5.0  # seconds between two attempts
_HELD = re.compile(
    r"^(?:(?:dpkg|debconf): .*\blocked by another process"
    r"|E: (?:Could not get lock |Unable to .*, is another process using it))",
    re.MULTILINE,
)


def held(text: str) -> bool:
    """`text`: what they printed, in the language C."""
    return bool(_HELD.search(text))


def run_when_free(
    run: Runner, argv: Sequence[str], seconds: float, sleep: Callable[[float], None]
) -> tuple[int, str, str]:
    """Run a program that does not wait for its lock: again while it is held, until `seconds`."""
    waited = 0.0
    code, out, err = run(argv)
    while code != 0 and held(f"{out}\n{err}") and waited < seconds:
        sleep(_WAIT)
        waited += _WAIT
        code, out, err = run(argv)
    return code, out, err
