# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build that is killed at any moment: the same call makes the same packages all the same.

OSLAB_SEED=N kills at the moments of an earlier run, whose failure shows the seed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time

import pytest

SEED = int(os.environ.get("OSLAB_SEED") or random.randrange(1 << 32))
KILLS = 10

# One after the other on one tree: each starts from what the one before left.
STORING = [
    ("_build.store.temporary_directory", 1),
    ("shutil.move", 1),
    ("shutil.move", 3),
    ("_build.plan.describe_packages", 1),
    ("_build.package_files.write_list", 1),
    ("_build.store.sync", 1),
    ("_build.store.put", 1),
]


@pytest.fixture
def undisturbed(role, module_build, tmp_path):
    """A build, what it makes, and the seconds that it takes."""
    directory = tmp_path / "undisturbed"
    directory.mkdir()
    build = module_build(role, directory, moved=True)
    started = time.monotonic()
    outcome = build.finish()
    assert outcome["build_result"]["compiled"], outcome
    assert len(build.packages()) == 5
    return build.packages(), time.monotonic() - started


def assert_same(build, expected):
    got = build.packages()
    assert sorted(got) == sorted(expected)
    differing = [name for name in got if got[name] != expected[name]]
    assert not differing, f"{differing} differ from an undisturbed build's (OSLAB_SEED={SEED})"
    left = [path.name for path in build.store.iterdir() if path.name.startswith(".")]
    assert not left


def test_killed_at_random_moments(role, module_build, undisturbed, tmp_path):
    expected, seconds = undisturbed
    moments = random.Random(SEED)
    print(f"OSLAB_SEED={SEED}")
    for number in range(KILLS):
        directory = tmp_path / f"killed{number}"
        directory.mkdir()
        build = module_build(role, directory, moved=True)
        moment = moments.uniform(0.2, seconds)
        print(f"killed after {moment:.3f} s of {seconds:.3f} s")
        build.kill_after(moment)
        assert build.packages() in ({}, expected)
        outcome = build.finish()
        assert "build_result" in outcome, outcome
        assert_same(build, expected)
        shutil.rmtree(directory)


def test_killed_again_and_again_on_one_tree(role, module_build, undisturbed, tmp_path):
    expected, seconds = undisturbed
    moments = random.Random(SEED)
    build = module_build(role, tmp_path)
    for _number in range(4):
        build.kill_after(moments.uniform(0.2, seconds))
        assert build.packages() in ({}, expected)
    assert "build_result" in build.finish()
    assert_same(build, expected)


def test_killed_while_it_stores(role, module_build, undisturbed, tmp_path):
    expected, _seconds = undisturbed
    build = module_build(role, tmp_path)
    for function, count in STORING:
        outcome = build.finish(function, count)
        assert outcome["msg"].startswith("the build vanished"), (function, outcome)
        assert build.packages() == {}
    outcome = build.finish()
    assert outcome["build_result"]["compiled"], outcome
    assert_same(build, expected)


def test_a_half_written_object_is_made_again(role, module_build, undisturbed, tmp_path):
    # An object of an earlier build, with its record, is being made anew when the build is killed.
    expected, _seconds = undisturbed
    build = module_build(role, tmp_path)
    build.finish()
    shutil.rmtree(build.store)
    (build.tree / "fs" / "open.c").touch()
    process = build.start()
    deadline = time.monotonic() + 20
    whole = (build.tree / "fs" / "open.c").stat().st_size
    while (build.tree / "fs" / "open.o").stat().st_size == whole and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(json.loads((build.work / "status.json").read_text())["pid"], signal.SIGKILL)
    process.communicate()
    assert (build.tree / "fs" / "open.o").stat().st_size < whole
    build.finish()
    assert_same(build, expected)
