# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role build in a build root.

Making one takes a minute. So a program of the test's own stands for mmdebstrap, and the file system
of this machine for what it makes; the namespaces are real. One long test makes a real root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib import fake_builder
from ansible_collections.oslab.kernel.tests.lib.namespaces import needs_bwrap

pytestmark = needs_bwrap

# What a program of the build can do: into a package, so that the test sees it.
PROBE = """all:
	id -u > probe
	cut -d: -f1 -s /proc/net/dev | tr -d ' ' >> probe
	for place in /usr /etc / /var/lib {store}; do \\
		! touch $$place/oslab-was-here 2> /dev/null || echo $$place >> probe; done
	env | grep -c ^OSLAB_TEST_LEAK= >> probe || true
install: all
	install -D -m 0644 probe $(DESTDIR)$(PREFIX)/share/oslab-probe
"""


@pytest.fixture
def rooted(role, tmp_path, monkeypatch):
    settings = fake_builder.have_mmdebstrap(tmp_path, monkeypatch)
    monkeypatch.setenv("OSLAB_TEST_LEAK", "1")
    role.variables.update(settings, build_root_dir=str(tmp_path / "roots"))
    role.roots = tmp_path / "roots"
    role.made = lambda: (tmp_path / "bin/mmdebstrap.calls").read_text().count("made")
    return role


def make_root(rooted, tmp_path):
    """The root, whose file system is replaced by that of this machine."""
    book = fake_builder.root_play(tmp_path / "root.json")
    done = rooted._playbook(str(book), **rooted.variables)
    assert done.status == 0, done.output
    (tree,) = rooted.roots.glob("*/tree")
    fake_builder.stand_in(tree)
    return tree.parent.name


def test_what_a_build_can_do_there(rooted, tmp_path):
    name = make_root(rooted, tmp_path)
    probe = rooted.directory / "sources/tools/Makefile"
    probe.write_text(PROBE.format(store=rooted.store))
    run = rooted.run()
    assert run.status == 0, run.output
    result = rooted.result
    assert result["manifest"]["build_root"]["id"] == name
    assert result["manifest"]["build_root"]["packages"] == {"gcc": "12"}
    store = Path(result["store"])
    package = store / result["packages"]["oslab-kernel-tools"]["file"]
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "unpacked"], check=True)
    found = (tmp_path / "unpacked/usr/share/oslab-probe").read_text().split()
    assert found == ["1000", "lo", "0"]
    text = (store / result["buildinfo"]["file"]).read_text()
    assert f"\nOslab-Build-Root: {name}\n" in text
    assert f"\nOslab-Build-Root-Packages:\n {'c' * 64} gcc:amd64 (= 12)\n" in text

    again = rooted.run()
    assert (again.status, again.recap("changed")) == (0, 0), again.output
    assert rooted.made() == 1


def test_it_is_part_of_the_build_id(rooted, tmp_path):
    make_root(rooted, tmp_path)
    assert rooted.run().status == 0
    inside = rooted.result
    assert rooted.run(build_environment="host").status == 0
    assert rooted.result["build_id"] != inside["build_id"]
    assert "build_root" not in rooted.result["manifest"]
    # Of the kernel itself the same is built, since the compiler is the same.
    assert rooted.result["packages"].keys() == inside["packages"].keys()


def test_check_mode_makes_nothing(rooted):
    run = rooted.run("--check")
    assert run.status == 0, run.output
    assert run.recap("changed") > 0
    assert not rooted.roots.exists()
    assert rooted.builds() == []


def test_what_cannot_be_had_there_is_refused(rooted, tmp_path):
    make_root(rooted, tmp_path)
    run = rooted.run(build_ccache_remote="http://cache.example.org/")
    assert run.status != 0
    assert "build_ccache_remote cannot be used in a build root" in " ".join(run.output.split())
    assert rooted.builds() == []


def test_a_compiler_error_can_be_tried_by_hand(rooted, tmp_path):
    make_root(rooted, tmp_path)
    (rooted.directory / "sources/tools/hello_tool.c").write_text("int main(void) { return x; }\n")
    run = rooted.run()
    assert run.status != 0
    assert "undeclared" in run.output
    assert "bwrap --unshare-all" in run.output


def test_the_root_of_a_lock_or_none(rooted):
    """The archive has another gcc by now."""
    gcc = {"version": "11", "sha256": "c" * 64}
    root = {"id": "0" * 64, "packages": {"gcc:amd64": gcc}, "snapshot": "20250520T000000Z"}
    run = rooted.run(build_locked={"environment": {"root": root}})
    assert run.status != 0
    words = " ".join(run.output.split())
    assert "environment.root.packages.gcc:amd64.version: locked 11, found 12" in words
    assert "archive/debian/20250520T000000Z/" in words
    assert rooted.builds() == []


def test_an_unknown_suite(rooted):
    run = rooted.run(build_root_suite="sarge")
    assert run.status != 0
    assert "build_root_suite is sarge" in " ".join(run.output.split())
    assert not rooted.roots.exists()


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("mmdebstrap"), reason="no mmdebstrap")
def test_a_real_root(role, tmp_path):
    """Of the archive that this machine reaches."""
    role.variables.update(build_environment="root", build_root_dir=str(tmp_path / "roots"))
    run = role.run()
    assert run.status == 0, run.output
    packages = role.result["manifest"]["build_root"]["packages"]
    assert {"gcc-12", "libelf-dev", "ccache", "pahole"} <= packages.keys()
    assert role.result["manifest"]["toolchain"]["gcc"].startswith("gcc (Debian ")
    (tree,) = (tmp_path / "roots").glob("*/tree")
    assert {path.stat(follow_symlinks=False).st_uid for path in tree.rglob("*")} == {os.geteuid()}
    again = role.run()
    assert (again.status, again.recap("changed")) == (0, 0), again.output
