# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find in a build's log what went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.oslab.kernel.plugins.module_utils._build.progress import parse_step

ERROR = re.compile(
    r"(^|[\s:])(fatal )?error( FAILED)?:|^ERROR: |undefined reference to|No space left on device"
    r"|Killed( signal)?\b|^BTF: .*not available|^make(\[\d+\])?: \*\*\* No rule to make target",
    re.IGNORECASE,
)
STOPPED = re.compile(r"^make(\[\d+\])?: \*\*\* ")
NOISE = re.compile(r"^make(\[\d+\])?: (Entering|Leaving) directory|^make(\[\d+\])?: warning")
# What compilers say before the line with the error itself.
LEAD_IN = re.compile(r"^(In file included from|\s+from )|: (In function|At top level|note: in)")


def compiler_error(lines: Sequence[str], limit: int = 20) -> list[str]:
    """The first error of a log, in at most `limit` lines, without what other jobs printed.

    With several jobs the error stands anywhere among other files' progress, and make's own
    complaints follow once the jobs that were under way are done.
    """
    messages = [line.rstrip() for line in lines if line.strip() and not parse_step(line)]
    messages = [line for line in messages if not NOISE.match(line)]
    first = next((n for n, line in enumerate(messages) if ERROR.search(line)), None)
    if first is None:
        first = next((n for n, line in enumerate(messages) if STOPPED.match(line)), None)
        if first is None:
            return messages[-limit:]
        return messages[max(0, first - limit + 1) : first + 1]
    start = first
    while start > 0 and first - start < 5 and LEAD_IN.search(messages[start - 1]):
        start -= 1
    block = messages[start : start + limit]
    for number, line in enumerate(block):  # what follows make's verdict is another job's
        if STOPPED.match(line) and number > first - start:
            return block[: number + 1]
    return block
