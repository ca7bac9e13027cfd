# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two builds with all varied that must not matter are the same; what differs is seen and named.

The real kernel is that of Debian's linux-source-*, which Molecule's scenario installs.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.integration.reproduce import compare, run

ROOT = Path(__file__).resolve().parents[3]
JOBS = len(os.sched_getaffinity(0))


@pytest.fixture
def build(tmp_path):
    """A finished build of one package, and a second one that is the same until it is changed."""

    def make(name, content="text", mode=0o644, time=1700000000, **record):
        root = tmp_path / name / "root"
        store = tmp_path / name / "store/id"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n"
        )
        (root / "file").write_text(content)
        (root / "file").chmod(mode)
        for path in [root, *root.rglob("*")]:
            os.utime(path, (time, time))
        store.mkdir(parents=True)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", str(root), str(store / "p_1_all.deb")],
            check=True,
            capture_output=True,
            # The archive has a time of its own, which would be that of the call.
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        )
        (store / "build.json").write_text(json.dumps({"build_id": "id", **record}))
        return compare.build_directory(store.parent)

    return make


def test_how_long_it_took_makes_no_difference(build, tmp_path):
    same, report = compare.report(build("a", seconds=1), build("b", seconds=2), tmp_path)
    assert same
    assert "byte for byte" in report


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"content": "other"}, "./file"),
        ({"mode": 0o600}, "mode 600"),
        ({"time": 1600000000}, "time 1600000000"),
        ({"packages": {"p": {}}}, "build.json: packages"),
    ],
)
def test_what_differs_is_named(build, tmp_path, change, difference):
    same, text = compare.report(build("a"), build("b", **change), tmp_path)
    assert not same
    assert difference in text


def test_a_package_too_many_is_seen(build, tmp_path):
    one, other = build("a"), build("b")
    (other / "q_1_all.deb").write_bytes((other / "p_1_all.deb").read_bytes())
    same, text = compare.report(one, other, tmp_path)
    assert not same
    assert "only" in text


def test_the_same_files_in_another_archive_are_seen(build, tmp_path):
    one, other = build("a"), build("b")
    root, package = tmp_path / "b/root", other / "p_1_all.deb"
    argv = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(package)]
    subprocess.run(argv, check=True, capture_output=True)
    same, text = compare.report(one, other, tmp_path)
    assert not same
    assert "the archives themselves" in text


def test_the_fake_kernel(tmp_path):
    """The way of a build from its variables to the store, in seconds."""
    config = tmp_path / "config"
    config.write_text("CONFIG_MODULES=y\n")
    source = ROOT / "tests/fixtures/fakelinux"
    same, report = run.reproduce(source, [config], tmp_path / "work", JOBS)
    assert same, report


def test_a_real_kernel(tmp_path):
    """What ccache has kept from an earlier run is compared with what is compiled now."""
    try:
        source = run.find_source()
    except run.RunError as missing:
        pytest.skip(str(missing))
    ccache = run.CACHE / "test-reproduce/ccache"
    work = tmp_path / "work"
    same, report = run.reproduce(source, [run.SMALL], work, JOBS, builds=2, ccache=ccache)
    assert same, report
