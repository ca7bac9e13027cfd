# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""removal: what is not ours stays, and so does every kernel that may be needed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.removal import (
    old_kernels,
    orphans,
    plan,
)

VERSION = "6.8-oslab1.0123456789ab"


def info(*releases: str, running: str = "6.1.0-stock") -> dict[str, Any]:
    names = [f"linux-{kind}-{release}" for release in releases for kind in ("image", "headers")]
    return {
        "release": running,
        "oslab_releases": list(releases),
        "oslab_packages": dict.fromkeys([*names, "linux-libc-dev"], VERSION),
    }


def test_what_was_there_is_put_back() -> None:
    made = plan(info("6.8"), {"packages": {"linux-libc-dev": "6.1.5-1"}})
    assert made == {
        "purge": ["linux-headers-6.8", "linux-image-6.8"],
        "restore": ["linux-libc-dev=6.1.5-1"],
    }
    assert "linux-libc-dev" in plan(info("6.8"), {})["purge"]


def test_only_what_came_with_ours_is_an_orphan() -> None:
    simulation = "Reading…\nRemv zlib1g-dev [1:1.2]\nRemv old [1]\nPurg other [2]\n"
    assert orphans(simulation, {"names": ["old"]}) == ["zlib1g-dev"]
    assert orphans(simulation, {}) == []


@pytest.mark.parametrize(
    ("keep", "running", "needed", "gone"),
    [
        (2, "d", [], ["b", "a"]),
        (1, "d", [], ["c", "b", "a"]),
        (0, "d", [], ["c", "b", "a"]),
        (2, "a", [], ["b"]),
        (1, "d", ["c", "stock"], ["b", "a"]),
        (9, "d", [], []),
    ],
)
def test_old_kernels(keep: int, running: str, needed: list[str], gone: list[str]) -> None:
    found = old_kernels(info("d", "c", "b", "a", running=running), keep, needed)
    assert found == [f"linux-{kind}-{name}" for name in gone for kind in ("image", "headers")]
