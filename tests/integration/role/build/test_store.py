# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Built once: the same inputs from anywhere are one build, and only what matters makes another."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]
OF_A_CHECKOUT = ("ansible.cfg", "galaxy.yml", "collections", "files", "meta", "plugins", "roles")


def test_another_checkout_inventory_and_tree_take_it_from_the_store(role, tmp_path):
    assert role.run().status == 0
    first = role.result
    assert first["compiled"]

    checkout = tmp_path / "somewhere" / "else"
    for name in OF_A_CHECKOUT:
        copy = shutil.copytree if (ROOT / name).is_dir() and name != "collections" else shutil.copy2
        if name == "collections":
            shutil.copytree(ROOT / name, checkout / name, symlinks=True)
        else:
            checkout.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, checkout / name)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(role.directory / "trees", elsewhere / "a" / "b", symlinks=True)
    shutil.rmtree(elsewhere / "a" / "b" / "fake" / "linux.build")
    shutil.copytree(role.directory / "sources", elsewhere / "sources")
    tree = elsewhere / "a" / "b" / "fake" / "linux"
    for path in (tree / "vmlinux", tree / "debian"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    started = time.monotonic()
    run = role.run(
        "--limit=builder",
        checkout=checkout,
        build_tree=str(tree),
        build_modules_source=str(elsewhere / "sources" / "modules"),
        build_tools_source=str(elsewhere / "sources" / "tools"),
        # What does not matter to what is built.
        build_jobs=3,
        build_ccache_dir=str(elsewhere / "ccache"),
        build_ccache_size="1G",
        source_workdir=str(elsewhere),
        source_mirrors=["https://mirror.example.org/linux"],
        publish_port=8099,
        publish_suite="testing",
        publish_root=str(elsewhere / "repository"),
        trial_timeout=999,
        install_keep_kernels=9,
    )
    assert run.status == 0, run.output
    assert role.result == {**first, "compiled": False}
    assert not (tree / "vmlinux").exists()
    assert not (tree.parent / "linux.build").exists()
    assert time.monotonic() - started < 60  # of a machine that does other things too


def build_id(module_build, role, directory, moved=True, **changes):
    directory.mkdir(exist_ok=True)
    build = module_build(role, directory, moved, _ansible_check_mode=True, **changes)
    outcome = build.finish()
    assert outcome["changed"], outcome
    return outcome["build_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"jobs": 7},
        {"ccache": False},
        {"ccache_dir": "/somewhere/else"},
        {"ccache_size": "1G"},
        {"ccache_remote": "http://cache.example.org/"},
        {"distribute": "distcc", "distribute_hosts": "one two/4"},
        {"force": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_does_not_matter_is_not_in_the_id(role, module_build, tmp_path, changes):
    first = build_id(module_build, role, tmp_path, moved=False)
    assert build_id(module_build, role, tmp_path / "other", **changes) == first


@pytest.mark.parametrize(
    "changes",
    [{"make_args": ["KCFLAGS=-g"]}, {"debug_package": True}, {"tools_source": ""}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_matters_is(role, module_build, tmp_path, changes):
    first = build_id(module_build, role, tmp_path, moved=False)
    assert build_id(module_build, role, tmp_path / "other", **changes) != first


@pytest.mark.parametrize("differing", [False, True])
def test_two_trees_share_a_store_at_once(role, module_build, tmp_path, differing):
    other = tmp_path / "other"
    other.mkdir()
    changes: dict[str, Any] = {"store": str(role.store)}
    if differing:
        changes["make_args"] = ["FAKE_SLEEP=0.04"]
    builds = [module_build(role, other, True, **changes), module_build(role, tmp_path)]
    outcomes = [
        json.loads(run.communicate(timeout=60)[0].splitlines()[-1])
        for run in [build.start() for build in builds]
    ]
    results = [outcome["build_result"] for outcome in outcomes]
    assert sorted(role.builds()) == sorted({result["build_id"] for result in results})
    assert len(role.builds()) == (2 if differing else 1)
    for result in results:
        assert len(result["packages"]) == 5
