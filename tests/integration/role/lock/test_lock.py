# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/lock.yml, and build.yml with a lock, on the fake tree."""

from __future__ import annotations

import shutil


def test_from_the_lock_alone_the_same_packages(alice, bob):
    done = alice.must_run("lock.yml")
    assert alice.packages() == {}
    text = alice.lock.read_text()
    again = alice.must_run("lock.yml")
    assert again.recap("changed") == 0, again.output
    assert alice.lock.read_text() == text
    alice.must_run("build.yml")
    (build,) = alice.packages()
    assert build == alice.locked["build"]["id"]

    shutil.copy(alice.lock, bob.lock)
    bob.must_run("build.yml")
    assert bob.packages() == alice.packages()
    again = bob.must_run("build.yml")
    assert again.recap("changed") == 0, again.output
    assert "lock: " in done.output
