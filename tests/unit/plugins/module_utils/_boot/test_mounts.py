# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is below /boot is what the boot loader reads, and can be written."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import mounts as boot_mounts
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import GrubError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib.grub_settings import settled

GRUB = Path("/boot/grub")
ROOT = "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
BOOT = "30 22 254:2 / /boot rw,relatime - ext4 /dev/vda2 rw\n"
FSTAB = "# a comment\nUUID=1 / ext4 errors=remount-ro 0 1\nUUID=2 /boot ext4 noauto 0 2\n"


@pytest.fixture(autouse=True)
def _writable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=0))


@pytest.mark.parametrize(
    ("fstab", "mounts", "unmounted"),
    [
        (FSTAB, ROOT + BOOT, ""),
        (FSTAB, ROOT, "/boot"),
        (FSTAB.replace("/boot", "/boot/"), ROOT, "/boot"),
        (FSTAB.replace("/boot", "/boot/grub"), ROOT + BOOT, "/boot/grub"),
        # Of no use for what is below /boot/grub.
        (FSTAB.replace("/boot", "/boot/efi"), ROOT, ""),
        (FSTAB.replace("/boot", "/bo"), ROOT, ""),
        ("UUID=1 / ext4\nUUID=3 none swap sw\nx\n/boot\n", ROOT, ""),
        ("", "", ""),
    ],
)
def test_a_file_system_that_is_not_mounted(fstab: str, mounts: str, unmounted: str) -> None:
    problem = boot_mounts.problem(GRUB, fstab, mounts)
    assert problem.startswith(f"{unmounted} is in /etc/fstab and not mounted") is bool(unmounted)
    assert bool(problem) is bool(unmounted)


def test_one_that_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=os.ST_RDONLY))
    problem = boot_mounts.problem(GRUB, FSTAB, ROOT + BOOT)
    assert problem == (
        "/boot/grub is mounted read-only, so that neither a kernel nor a choice can be written "
        "there. Mount it read-write while this runs (mount -o remount,rw)."
    )


def test_one_that_is_not_there_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(os, "statvfs", missing)
    assert boot_mounts.problem(GRUB, "", ROOT) == ""


def test_the_loader_says_it_before_all_else(tmp_path: Path) -> None:
    config, environment, custom = (
        str(tmp_path / name) for name in ("grub.cfg", "grubenv", "custom.cfg")
    )

    settings = settled(tmp_path)

    def run(_command: object) -> Result:
        return Result(0)

    with pytest.raises(GrubError, match="/boot is not mounted"):
        Grub(run, config, environment, custom, settings=settings, place="/boot is not mounted")
    (tmp_path / "grub.cfg").write_text('set default="${saved_entry}"\n')
    loader = Grub(run, config, environment, custom, settings=settings, place="/boot is not mounted")
    assert loader.trial_problem == "/boot is not mounted"
