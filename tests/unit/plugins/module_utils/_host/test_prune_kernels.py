# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kernel that may be needed stays."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import Host
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import INSTALL_RECORD
from ansible_collections.oslab.kernel.plugins.module_utils._host.prune_kernels import packages


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """With our kernels d, c, b and a, the newest first."""
    listed = "linux-libc-dev 6.8-oslab1.0123456789ab install ok installed\n"
    for name in "abcd":
        manifest = tmp_path / "lib/modules" / name / "oslab-kernel.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        time.sleep(0.02)
        for kind in ("image", "headers"):
            listed += f"linux-{kind}-{name} 6.8-oslab1.0123456789ab install ok installed\n"
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)

    def run(argv: Sequence[str], *_more: Any, **_options: Any) -> Result:
        assert argv[0] == "dpkg-query"
        return Result(0, listed)

    return Host(run, tmp_path)


@pytest.mark.parametrize(
    ("keep", "running", "fallback", "needed", "gone"),
    [
        (2, "d", "stock", [], ["b", "a"]),
        (1, "d", "stock", [], ["c", "b", "a"]),
        (0, "d", "stock", [], ["c", "b", "a"]),
        (2, "a", "stock", [], ["b"]),
        (1, "d", "c", ["stock"], ["b", "a"]),
        (1, "d", "stock", ["c"], ["b", "a"]),
        (9, "d", "stock", [], []),
    ],
)
def test_kernels_to_prune(
    host: Host, keep: int, running: str, fallback: str, needed: list[str], gone: list[str]
) -> None:
    (host.root / "proc/sys/kernel/osrelease").write_text(f"{running}\n")
    (host.root / INSTALL_RECORD).parent.mkdir(parents=True)
    (host.root / INSTALL_RECORD).write_text(json.dumps({"fallback": fallback}))
    found = [f"linux-{kind}-{name}" for name in gone for kind in ("image", "headers")]
    assert packages(host, keep, needed) == (found, [])


def test_a_host_without_a_record(host: Host) -> None:
    assert packages(host, 3, ["c"]) == (["linux-image-a", "linux-headers-a"], [])
    (host.root / INSTALL_RECORD).parent.mkdir(parents=True)
    (host.root / INSTALL_RECORD).write_text("[")
    found, warnings = packages(host, 3, ["c"])
    assert found == ["linux-image-a", "linux-headers-a"]
    assert str(host.root / INSTALL_RECORD) in warnings[0]
