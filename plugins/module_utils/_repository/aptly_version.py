# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the builder's aptly can read, asked before a kernel is built for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import apt_answers
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

# The first release that reads packages that are compressed by zstd.
ZSTD = (1, 5)
_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})[0-9A-Za-z.+~-]*")


@dataclass(frozen=True)
class Ability:
    """`version`: of the aptly that is here or that apt would install; empty if neither is known.

    `compression`: the best one for packages that it reads.
    """

    version: str
    compression: str


def ability(version: str) -> Ability:
    """Of nothing that is known, the best is expected: what cannot be installed fails by that."""
    found = _VERSION.fullmatch(version)
    if not found:
        return Ability("", "zstd")
    reads = (int(found[1]), int(found[2])) >= ZSTD
    return Ability(version, "zstd" if reads else "xz")


def find(run: Runner, program: Optional[str]) -> Ability:
    """`program`: path of aptly, or None if it is not installed."""
    if program:
        status, out, _err = run([program, "version"])
        return ability(out.rpartition(":")[2].strip() if status == 0 else "")
    return ability(apt_answers.candidate(run, "aptly"))
