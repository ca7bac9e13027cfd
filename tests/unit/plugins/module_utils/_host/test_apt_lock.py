# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt 1.8 to 3.0, dpkg 1.19 to 1.22 and debconf print where a lock is held."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_lock import held

REPAIR = Path(__file__).resolve().parents[5] / "roles/install/tasks/packages/repair.yml"


@pytest.mark.parametrize(
    "text",
    [
        "dpkg: error: dpkg frontend lock was locked by another process with pid 7\nNote: x\n",
        "dpkg: error: dpkg frontend is locked by another process",
        "dpkg: error: dpkg status database is locked by another process",
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)",
        "W: x\nE: Could not get lock /var/lib/apt/lists/lock - open (11: Resource temporarily)",
        "E: Unable to acquire the dpkg frontend lock (/x), is another process using it?",
        "E: Unable to lock the administration directory (/x), is another process using it?",
        'debconf: DbDriver "config": /x/config.dat is locked by another process: Resource',
    ],
)
def test_a_lock_that_is_held(text: str) -> None:
    assert held(f"Reading package lists...\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        "dpkg: error processing package libblockdev-utils2 (--configure):",
        "mine: block device sda is held by another process",
        "cannot acquire lock",
        "E: Could not open lock file /x (13: Permission denied)\nE: Unable to lock directory /x/",
        "E: Unable to acquire the dpkg frontend lock (/x), are you root?",
        "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend.",
        "dpkg: error: unable to lock dpkg frontend: No locks available",
        "",
    ],
)
def test_what_is_no_lock(text: str) -> None:
    assert not held(text)


def test_the_role_asks_the_same() -> None:
    """It repeats only what a lock has stopped, and purges nothing for a lock."""
    block = next(task for task in yaml.safe_load(REPAIR.read_text()) if "rescue" in task)
    until = block["block"][0]["until"]
    assert "oslab.kernel.apt_locked" in until
    first = block["rescue"][0]
    assert "ansible.builtin.fail" in first
    assert "oslab.kernel.apt_locked" in first["when"]
