# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a rebuilt kernel is the published one."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import rebuild
from ansible_collections.oslab.kernel.plugins.module_utils._build.published import Published
from ansible_collections.oslab.kernel.plugins.module_utils._build.rebuild import Unequal
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

BUILD = Published("1" * 64, {}, {"a": "2", "b": "3"}, "4" * 64)


def test_the_same() -> None:
    assert rebuild.compare(BUILD, {"a": "2", "b": "3", "linux-image-x-dbg": "9"}) == []


def test_what_differs() -> None:
    assert rebuild.compare(BUILD, {"a": "5", "c": "6"}) == [
        Unequal("a", "2", "5"),
        Unequal("b", "3", ""),
        Unequal("c", "", "6"),
    ]


def test_the_statement() -> None:
    made = rebuild.statement(BUILD, [])
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [
        {"name": "a", "digest": {"sha256": "2"}},
        {"name": "b", "digest": {"sha256": "3"}},
    ]
    assert made["predicate"]["result"] == "PASSED"
    assert made["predicate"]["configuration"][0]["digest"] == {"sha256": "4" * 64}
    made = rebuild.statement(BUILD, [Unequal("a", "2", "5")])
    assert made["predicate"]["result"] == "FAILED"
    assert made["predicate"]["passedTests"] == ["b"]
    assert made["predicate"]["failedTests"] == ["a"]


def test_a_signed_build() -> None:
    """Whether the signatures alone are others."""
    signed = replace(
        BUILD,
        signatures={"file": "signatures.json", "sha256": "5" * 64},
        unsigned={"a": "6", "b": "7"},
    )
    found = rebuild.compare(signed, {"a": "x", "b": "y"}, {"a": "6", "b": "8"})
    assert found == [Unequal("a", "2", "x", True), Unequal("b", "3", "y", False)]
    compared = rebuild.statement(signed, [])["predicate"]["configuration"]
    assert compared[1] == {"name": "signatures.json", "digest": {"sha256": "5" * 64}}


def package(directory: Path, **files: str) -> Path:
    (directory / "tree/DEBIAN").mkdir(parents=True)
    control = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
    (directory / "tree/DEBIAN/control").write_text(control)
    for name, text in files.items():
        (directory / "tree" / name).write_text(text)
    target = directory / "a.deb"
    subprocess.run(["dpkg-deb", "--build", directory / "tree", target], check=True)
    return target


def run(argv: object, *_more: object) -> Result:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # type: ignore[call-overload]
    return Result(done.returncode, done.stdout, done.stderr)


def test_the_files_that_differ(tmp_path: Path) -> None:
    one = package(tmp_path / "one", same="1", other="2", gone="3")
    two = package(tmp_path / "two", same="1", other="4", new="5")
    (tmp_path / "x").mkdir()
    found = rebuild.differing_files(one, two, run, tmp_path / "x")
    assert found == ["gone (published only)", "new (rebuilt only)", "other"]
    (tmp_path / "y").mkdir()
    assert rebuild.differing_files(one, one, run, tmp_path / "y") == [
        "no file: order, modes or times differ"
    ]
    one.write_text("no package")
    with pytest.raises(rebuild.RebuildError, match="is no package"):
        rebuild.differing_files(one, two, run, tmp_path / "z")
