# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs that kdump-tools leaves in /var/crash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kdump

RELEASE, NOW = "6.12.117-49-usac1", 1764435000


def put(root: Path, stamp: str, release: str, seconds: float) -> Path:
    directory = root / kdump.PLACE / stamp
    directory.mkdir(parents=True)
    path = directory / f"dmesg.{stamp}"
    path.write_text(
        f"[    0.000000] Linux version {release} (x@y) #1 SMP\n"
        "[   12.5] Kernel panic - not syncing: sysrq triggered crash\n"
    )
    (directory / f"dump.{stamp}").write_bytes(b"\0" * 100)
    os.utime(path, (seconds, seconds))
    return path


def test_the_log_of_this_trial_boot(tmp_path: Path) -> None:
    path = put(tmp_path, "202611291230", RELEASE, NOW + 60)
    put(tmp_path, "202611291231", "6.1.0-44-amd64", NOW + 120)
    put(tmp_path, "202611280900", RELEASE, NOW - 99_000)
    (tmp_path / kdump.PLACE / "linux-image-6.12-202611291230.crash").write_text("apport")
    [record] = kdump.records(tmp_path, NOW, RELEASE)
    assert (record.source, record.name) == ("kdump", str(path))
    assert record.lines[-1] == "Kernel panic - not syncing: sysrq triggered crash"


@pytest.mark.parametrize("forged", ["link", "directory", "mode", "nameless"])
def test_what_anybody_can_put_there(tmp_path: Path, forged: str) -> None:
    path = put(tmp_path, "202611291230", RELEASE, NOW + 60)
    if forged == "link":
        path.rename(tmp_path / "secret")
        path.symlink_to(tmp_path / "secret")
    elif forged == "directory":
        path.parent.rename(tmp_path / "elsewhere")
        path.parent.symlink_to(tmp_path / "elsewhere")
    elif forged == "mode":
        path.chmod(0o666)
    else:
        path.write_text("Kernel panic - not syncing: forged\n")
        os.utime(path, (NOW + 60, NOW + 60))
    assert kdump.records(tmp_path, NOW, RELEASE) == []


def test_directories_of_others_hide_none(tmp_path: Path) -> None:
    put(tmp_path, "202611291230", RELEASE, NOW + 60)
    for number in range(kdump.MOST_DIRECTORIES + 5):
        forged = tmp_path / kdump.PLACE / f"2099{number:08}"
        forged.mkdir()
        forged.chmod(0o777)
    assert len(kdump.records(tmp_path, NOW, RELEASE)) == 1


def test_a_host_without_it(tmp_path: Path) -> None:
    assert kdump.records(tmp_path, 0, RELEASE) == []
    assert not kdump.is_loaded(tmp_path)
    (tmp_path / kdump.PLACE / "202611291230").mkdir(parents=True)
    assert kdump.records(tmp_path, 0, RELEASE) == []
    (tmp_path / kdump.LOADED).parent.mkdir(parents=True)
    (tmp_path / kdump.LOADED).write_text("1\n")
    assert kdump.is_loaded(tmp_path)
