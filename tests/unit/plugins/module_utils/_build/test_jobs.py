# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many compilers a machine can run at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import jobs

GIB = 1 << 20  # KiB


def machine(root: Path, available: int, limit: str = "", used: str = "", cached: int = 0) -> Path:
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(f"MemTotal: 99999 kB\nMemAvailable:   {available} kB\n")
    (root / "sys/fs/cgroup").mkdir(parents=True)
    (root / "sys/fs/cgroup/memory.max").write_text(f"{limit}\n")
    (root / "sys/fs/cgroup/memory.current").write_text(f"{used}\n")
    (root / "sys/fs/cgroup/memory.stat").write_text(f"anon 5\nactive_file {cached}\nslab 5\n")
    return root


@pytest.mark.parametrize(
    ("available", "limit", "used", "count"),
    [
        (8 * GIB, "", "", 16),
        (8 * GIB, "max", "1", 16),
        # A builder of 2 GB, of which the system has some.
        (int(1.6 * GIB), "", "", 3),
        (100, "", "", 1),
        # A container of 3 GiB, which uses one.
        (8 * GIB, str(3 << 30), str(1 << 30), 4),
        (8 * GIB, str(3 << 30), str(3 << 30), 1),
    ],
)
def test_the_memory_limits_the_jobs(
    tmp_path: Path, available: int, limit: str, used: str, count: int
) -> None:
    assert jobs.by_memory(machine(tmp_path, available, limit, used)) == count


def test_no_more_than_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 3, 5})
    assert jobs.default(tmp_path) == 3
    assert jobs.default(machine(tmp_path, 2 * GIB)) == 3
    (tmp_path / "proc/meminfo").write_text(f"MemAvailable: {GIB} kB\n")
    assert jobs.default(tmp_path) == 2


def test_what_a_container_caches_of_files_is_free(tmp_path: Path) -> None:
    root = machine(tmp_path, 8 * GIB, str(3 << 30), str(3 << 30), cached=2 << 30)
    assert jobs.by_memory(root) == 4
