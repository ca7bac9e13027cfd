# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many compilers a machine can run at once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

#: For each compiler, in KiB. Of Linux 6.12 without debug information the largest took 204 MiB
#: (gcc 12). The rest is for debug information and for ld.
PER_JOB = 512 << 10
_CACHED = re.compile(r"^(?:in)?active_file (\d+)$", re.MULTILINE)
_AVAILABLE = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)


def available_kib(root: Path = Path("/")) -> Optional[int]:
    """The memory that is free for programs; None if that is not known."""
    found = _AVAILABLE.search(read(root / "proc/meminfo"))
    limits = [int(found[1])] if found else []
    # Of a container: its own /sys/fs/cgroup is that of its group.
    limit = read(root / "sys/fs/cgroup/memory.max").strip()
    used = read(root / "sys/fs/cgroup/memory.current").strip()
    if limit.isdigit() and used.isdigit():
        stat = read(root / "sys/fs/cgroup/memory.stat")
        # The kernel gives back what caches files as soon as somebody needs it.
        cached = sum(map(int, _CACHED.findall(stat)))
        limits.append((int(limit) - int(used) + cached) >> 10)
    return min(limits, default=None)


def by_memory(root: Path = Path("/")) -> int:
    """How many fit into the memory that is free; 1 at least, 0 if that is not known."""
    available = available_kib(root)
    return max(available // PER_JOB, 1) if available is not None else 0


def default(root: Path = Path("/")) -> int:
    """One for each processor that this process may use, if they fit into the memory."""
    processors = len(os.sched_getaffinity(0))
    return min(processors, by_memory(root) or processors)
