# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A version as kernel.org, Debian and Ubuntu call it, and the release that comes of it."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
FAKELINUX = ROOT / "tests" / "fixtures" / "fakelinux"
TAGS = ("--tags", "source,version")

# What a distribution has: its packages, none of them installed before apt-get is asked to.
DPKG = """#!/bin/sh
case "$*" in
*--control-show*) echo "$MD5  $(echo $TARBALL | cut -c 2-)" ;;
*" $PACKAGE") echo installed ;;
*) exit 1 ;;
esac
"""
APT_CACHE = """#!/bin/sh
case "$1" in
policy) [ "$2" = "$PACKAGE" ] && printf '%s:\\n  Installed: (none)\\n  Candidate: 1\\n' "$2" ;;
search) echo "$PACKAGE - Linux kernel source" ;;
esac
exit 0
"""


@pytest.fixture
def tarball(tmp_path):
    """A tree with these lines in its Makefile, in a tarball of this name."""

    def make(name, sublevel="0", extraversion=""):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (FAKELINUX / "Makefile").read_text()
        text = text.replace("SUBLEVEL = 0\n", f"SUBLEVEL = {sublevel}\n")
        text = text.replace("EXTRAVERSION =\n", f"EXTRAVERSION = {extraversion}\n")
        (tmp_path / "Makefile").write_text(text)
        with tarfile.open(path, "w:xz") as archive:
            archive.add(FAKELINUX / "Kbuild", "linux/Kbuild")
            archive.add(tmp_path / "Makefile", "linux/Makefile")
        return path

    return make


@pytest.fixture
def distribution(tmp_path, tarball, monkeypatch):
    """One that has this package alone, installed already."""

    def make(package, sublevel="0", extraversion=""):
        path = tarball(f"{package}.tar.xz", sublevel, extraversion)
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, text in (("dpkg-query", DPKG), ("apt-cache", APT_CACHE)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        monkeypatch.setenv("PACKAGE", package)
        monkeypatch.setenv("TARBALL", str(path))
        monkeypatch.setenv("MD5", "")

    return make


def words(run):
    return " ".join(run.output.replace("''", "'").split())


def extraversion(tmp_path):
    (makefile,) = (tmp_path / "work" / "trees").glob("*/linux/Makefile")
    lines = makefile.read_text().splitlines()
    return next(line for line in lines if line.startswith("EXTRAVERSION"))


@pytest.mark.parametrize(
    ("package", "sublevel", "rc", "version"),
    [
        ("linux-source-6.12", "5", "", "6.12"),  # Debian's
        ("linux-source-6.12", "5", "", "6.12.5"),
        ("linux-source-6.12.0", "5", "", "6.12"),  # Ubuntu's
        ("linux-source-6.12.0", "5", "", "6.12.0"),
        ("linux-source-6.12.0", "0", "-rc3", "6.12-rc3"),
    ],
)
def test_a_distributions_package(playbook, distribution, tmp_path, package, sublevel, rc, version):
    distribution(package, sublevel, rc)
    done = playbook("build.yml", *TAGS, source_provider="distro_package", source_version=version)
    assert done.status == 0, done.output
    assert extraversion(tmp_path) == f"EXTRAVERSION = {rc}-49-usac1"
    (state,) = (tmp_path / "work" / "trees").glob("*/linux/.oslab/source.json")
    assert json.loads(state.read_text())["version"] == f"6.12.{sublevel}{rc}"


@pytest.mark.parametrize(
    ("package", "version", "message"),
    [
        (
            "linux-source-6.12.0",
            "6.12.7",
            "holds Linux 6.12.5, but source_version is 6.12.7: set source_version to '6.12'",
        ),
        (
            "linux-source-6.12.0",
            "6.8",
            "the distribution offers no package linux-source-6.8 or linux-source-6.8.0. It offers "
            "linux-source-6.12.0 (source_version: '6.12')",
        ),
    ],
)
def test_the_advice_leads_to_what_works(playbook, distribution, package, version, message):
    distribution(package, "5")
    variables = {"source_provider": "distro_package"}
    done = playbook("build.yml", *TAGS, source_version=version, **variables)
    assert done.status != 0
    assert message in words(done)
    assert playbook("build.yml", *TAGS, source_version="6.12", **variables).status == 0


@pytest.mark.parametrize("version", ["6.12", "6.12.0"])
def test_kernel_org_has_no_third_number_for_a_first_release(
    playbook, fake_tarball, tmp_path, version
):
    known = {"6.12": hashlib.sha256(fake_tarball.read_bytes()).hexdigest()}
    done = playbook(
        "build.yml",
        *TAGS,
        source_version=version,
        source_mirrors=[f"file://{tmp_path}/mirror"],
        source_known_sha256=known,
    )
    assert done.status == 0, done.output
    assert extraversion(tmp_path) == "EXTRAVERSION = -49-usac1"


def test_a_candidate_is_refused_before_any_mirror_of_kernel_org_is_asked(playbook, tmp_path):
    done = playbook("build.yml", *TAGS, source_version="6.12-rc3")
    assert done.status != 0
    assert "source_version 6.12-rc3 is a release candidate" in words(done)
    assert "source_provider: file" in words(done)
    assert not (tmp_path / "work").exists()


def test_a_file_with_a_candidate_keeps_its_number(playbook, tarball, tmp_path):
    path = tarball("linux-6.12-rc3.tar.xz", extraversion="-rc3")
    given = {"source_provider": "file", "source_file": str(path), "source_version": "6.12-rc3"}
    assert playbook("build.yml", *TAGS, **given).status == 0
    assert extraversion(tmp_path) == "EXTRAVERSION = -rc3-49-usac1"
    assert playbook("build.yml", *TAGS, **given).recap("changed") == 0
    other = playbook("build.yml", *TAGS, **{**given, "source_version": "6.12-rc2"})
    assert other.status != 0
    assert "holds Linux 6.12.0-rc3, but source_version is 6.12-rc2" in words(other)
