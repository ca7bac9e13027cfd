# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a kill: what may be half-written is made again."""

from __future__ import annotations

import os

from ansible_collections.oslab.kernel.plugins.module_utils._build.run import remove_recent_records


def made(tree, name, age, record_age=None):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    record = path.with_name(f".{path.name}.cmd")
    for file, old in ((path, age), (record, age if record_age is None else record_age)):
        file.write_text("x")
        os.utime(file, (10000 - old, 10000 - old))
    return record


def test_only_what_was_made_last_is_forgotten(tmp_path):
    old = made(tmp_path, "fs/old.o", 4000)
    before = made(tmp_path, "fs/before.o", 200)
    recent = made(tmp_path, "fs/recent.o", 60)
    # An object that was being made anew: young, with the record of the time before.
    half = made(tmp_path, "fs/half.o", 0, record_age=4000)
    assert remove_recent_records(tmp_path, 120) == 2
    assert old.exists()
    assert before.exists()
    assert not recent.exists()
    assert not half.exists()
    assert (tmp_path / "fs/half.o").exists()  # kbuild replaces it


def test_a_tree_that_was_never_built(tmp_path):
    (tmp_path / "Makefile").write_text("x")
    assert remove_recent_records(tmp_path, 120) == 0
