# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The .buildinfo covers every package and every input, and says nothing that varies."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from dataclasses import replace

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import buildinfo
from ansible_collections.oslab.kernel.plugins.module_utils._build.environment import BuildRoot
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import Inputs
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Options, Plan
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

INPUTS = Inputs(
    machine="amd64",
    version="6.12.1",
    release="6.12.1-usac",
    source_sha256="5" * 64,
    source_date_epoch=1700000000,
    patch_sha256="9" * 64,
    config_sha256="c" * 64,
    toolchain={"gcc": "gcc (Debian 12.2.0) 12.2.0", "ld": "GNU ld 2.40"},
    modules_sha256="a" * 64,
    tools_sha256="",
    make_args=["KCFLAGS=-g"],
    debug_package=False,
    stated_sha256="",
)
MANIFEST = {
    "source": {"version": "6.12.1", "sha256": "5" * 64, "signed_by": "ABCD", "commit": "e" * 40},
    "patches": [{"name": "0001-x.patch", "sha256": "1" * 64}, {"name": "y", "sha256": "2" * 64}],
}
NAMES = ["oslab-kernel-tools", "linux-image-6.12.1-usac"]


def run(argv, cwd=None, environment=None):
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "linux.build").mkdir()
    options = Options(tree=tmp_path / "linux", store=tmp_path / "store")
    return Plan(options, INPUTS, {"CONFIG_DEBUG_INFO_BTF": "y"}, MANIFEST)


@pytest.fixture
def write(plan, tmp_path):
    """Of two packages, by dpkg itself."""

    def make(where="store", **environment):
        store = tmp_path / where
        store.mkdir()
        for name in NAMES:
            (store / f"{name}_{plan.version}_amd64.deb").write_text(name)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", **environment}
        made = buildinfo.write(store, plan, NAMES, run, environment)["buildinfo"]
        text = (store / made["file"]).read_text()
        assert hashlib.sha256(text.encode()).hexdigest() == made["sha256"]
        assert made["file"] == f"linux-upstream_{plan.version}_amd64.buildinfo"
        return text

    return make


def test_every_package_is_in_it(write, plan):
    text = write()
    sums = text.partition("Checksums-Sha256:\n")[2].partition("\nBuild-Origin")[0]
    for name in NAMES:
        digest = hashlib.sha256(name.encode()).hexdigest()
        assert f" {digest} {len(name)} {name}_{plan.version}_amd64.deb" in sums.splitlines()
    assert re.search(rf"^Binary: {' '.join(sorted(NAMES))}$", text, re.MULTILINE)
    assert f"Version: {plan.version}\n" in text


def test_every_input_is_in_it(write, plan):
    text = write()
    for line in (
        f"Oslab-Build-Id: {plan.build_id}",
        f"Oslab-Source-Sha256: {'5' * 64}",
        f"Oslab-Source-Commit: {'e' * 40}",
        "Oslab-Source-Signed-By: ABCD",
        f"Oslab-Patches:\n {'1' * 64} 0001-x.patch\n {'2' * 64} y",
        f"Oslab-Patched-Sha256: {'9' * 64}",
        f"Oslab-Config-Sha256: {'c' * 64}",
        f"Oslab-Modules-Sha256: {'a' * 64}",
        "Oslab-Toolchain:\n gcc: gcc (Debian 12.2.0) 12.2.0\n ld: GNU ld 2.40",
        "Oslab-Make-Arguments:\n KCFLAGS=-g",
    ):
        assert f"\n{line}\n" in text
    assert "Oslab-Tools-Sha256" not in text  # there are none
    assert re.search(r"^ make \(= .*\),$", text, re.MULTILINE)


def test_nothing_in_it_varies(write, tmp_path):
    one = write("a", TZ="UTC", HOME="/", USER="a")
    two = write("elsewhere", TZ="Asia/Tokyo", HOME="/root", USER="b", KCFLAGS=f"-I{tmp_path}")
    assert one == two
    assert str(tmp_path) not in one
    assert "Build-Date" not in one


def test_what_is_used_is_asked_for(plan):
    text = buildinfo.control(plan, NAMES)
    assert "pahole | dwarves" in text
    assert "binutils" in text
    assert "ccache" not in text  # it changes nothing
    without = replace(plan, config={})
    assert "pahole" not in buildinfo.control(without, NAMES)


def test_a_failure_is_said(plan, tmp_path):
    (tmp_path / "store").mkdir()
    with pytest.raises(buildinfo.BuildInfoError, match="no such thing"):
        buildinfo.write(tmp_path / "store", plan, NAMES, lambda *_: Result(2, "no such thing"), {})


def test_the_build_root_is_in_it(plan, tmp_path):
    packages = [
        {"name": name, "version": "1", "architecture": "amd64", "sha256": digit * 64}
        for name, digit in (("bc", "1"), ("gcc-12", "2"))
    ]
    record = {"id": "a" * 64, "suite": "sid", "mirrors": ["deb http://m sid main"]}
    where = BuildRoot(tmp_path, {**record, "packages": packages})
    text = buildinfo.fields(replace(plan, options=replace(plan.options, environment=where)))
    for line in (
        f"Oslab-Build-Root: {'a' * 64}",
        "Oslab-Build-Root-Suite: sid",
        "Oslab-Build-Root-Sources:\n deb http://m sid main",
        f"Oslab-Build-Root-Packages:\n {'1' * 64} bc:amd64 (= 1)\n {'2' * 64} gcc-12:amd64 (= 1)",
    ):
        assert f"\n{line}\n" in text
    assert "Build-Root" not in buildinfo.fields(plan)
