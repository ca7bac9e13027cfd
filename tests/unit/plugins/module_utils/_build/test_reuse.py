# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tree takes of another one, and when it does not."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import reuse
from ansible_collections.oslab.kernel.plugins.module_utils._build.job import Job

SOURCE = {"sha256": "ab" * 32, "version": "6.8.0"}
BUILD = {"toolchain": {"gcc": "12.2.0"}, "make_args": [], "release": "6.8.0-1"}
# When the tarball was made, a role changed files, and the other tree was built.
OLD, CHANGED, BUILT = 1_000_000_000, 1_700_000_000, 1_700_000_100


def put(tree: Path, name: str, text: str = "", when: int = OLD) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or name)
    os.utime(path, (when, when))
    return path


def unpacked(tree: Path) -> Path:
    for name in ("Makefile", "init/main.c", "kernel/sys.c", "include/linux/x.h", "tools/a.c"):
        put(tree, name)
    put(tree, ".oslab/source.json", json.dumps(SOURCE))
    put(tree, ".config", "CONFIG_A=y\n")
    return tree


def built(tree: Path) -> Path:
    unpacked(tree)
    put(tree, "kernel/sys.c", "changed", CHANGED)
    put(tree, "kernel/mine.c", "int mine;", CHANGED)
    put(tree, ".oslab/patch.json", json.dumps({"created": ["kernel/mine.c", "tools/mine.c"]}))
    put(tree, "tools/mine.c", "int mine;", CHANGED)
    for name in (
        "kernel/mine.o",
        "kernel/.mine.o.cmd",
        "fs/x.ko",
        "fs/.x.ko.cmd",
        "init/main.o",
        "kernel/sys.o",
        "kernel/built-in.a",
        "lib/table.h",
        "scripts/mod/x",
    ):
        put(tree, name, when=BUILT)
    for name in ("init/.main.o.cmd", "kernel/.sys.o.cmd", "kernel/.built-in.a.cmd"):
        command = f"gcc -ffile-prefix-map={tree}=. -ffile-prefix-map={tree}.build=./oslab"
        put(tree, name, command, BUILT)
    put(tree, "lib/.table.h.cmd", when=BUILT)
    put(tree, "tools/objtool/objtool", "program", BUILT).chmod(0o755)
    # B was set once.
    for name in ("include/config/A", "include/config/B", "include/generated/autoconf.h"):
        put(tree, name, when=BUILT)
    put(tree, "include/config/auto.conf", "CONFIG_A=y\n", BUILT)
    for name in ("vmlinux", "vmlinux.o", ".vmlinux.cmd", "debian/control", "certs/signing_key.pem"):
        put(tree, name, when=BUILT)
    put(tree, "oslab-kernel.json", json.dumps(BUILD))
    put(reuse.work_of(tree), "outcome.json", json.dumps({"changed": True}))
    put(reuse.work_of(tree), "status.json", json.dumps({"state": "ended"}))
    return tree


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return built(tmp_path / "alice" / "linux")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = unpacked(tmp_path / "bob" / "linux")
    reuse.work_of(made).mkdir()
    return made


def products(tree: Path) -> set[str]:
    found = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    stock = {"Makefile", "init/main.c", "kernel/sys.c", "include/linux/x.h", "tools/a.c", ".config"}
    return found - stock - {".oslab/source.json"}


def when(path: Path) -> float:
    return path.stat().st_mtime


def test_it_takes_what_make_has_made(tree: Path, other: Path) -> None:
    taken = reuse.take(tree, BUILD)
    assert products(tree) == {
        "init/main.o", "init/.main.o.cmd", "kernel/sys.o", "kernel/.sys.o.cmd",
        "kernel/built-in.a", "kernel/.built-in.a.cmd", "lib/table.h", "lib/.table.h.cmd",
        "scripts/mod/x", "tools/objtool/objtool",
        "include/config/auto.conf", "include/config/A", "include/generated/autoconf.h",
    }  # fmt: skip
    assert taken == reuse.Taken(other, 13)
    assert os.access(tree / "tools/objtool/objtool", os.X_OK)
    # As old as it was.
    assert when(tree / "init/main.o") == BUILT
    # The command is that of this tree.
    command = (tree / "init/.main.o.cmd").read_text()
    assert command == f"gcc -ffile-prefix-map={tree}=. -ffile-prefix-map={tree}.build=./oslab"
    # The options are compared.
    assert when(tree / ".config") > BUILT
    assert not (reuse.work_of(tree) / reuse.MARK).exists()


def test_what_differs_is_newer_than_its_object(tree: Path, other: Path) -> None:
    put(other, "include/linux/x.h", "somebody was here", CHANGED)
    reuse.take(tree, BUILD)
    assert when(tree / "init/main.c") == OLD
    for name in ("kernel/sys.c", "include/linux/x.h"):
        assert when(tree / name) > BUILT, name


def test_what_was_changed_alike_is_as_old_as_in_the_other(tree: Path, other: Path) -> None:
    put(tree, "kernel/sys.c", "changed", BUILT + 50)
    put(tree, "init/main.c", "init/main.x", BUILT + 50)
    reuse.take(tree, BUILD)
    assert when(tree / "kernel/sys.c") == CHANGED
    assert when(tree / "init/main.c") > BUILT


def test_options_of_this_tree_are_no_record_of_the_objects(tree: Path, other: Path) -> None:
    put(tree, "include/config/B")
    put(tree, "include/generated/autoconf.h", "of this tree", BUILT + 50)
    reuse.take(tree, BUILD)
    assert not (tree / "include/config/B").exists()
    assert (tree / "include/generated/autoconf.h").read_text() == "include/generated/autoconf.h"


def change_source(tree: Path, other: Path) -> None:
    put(other, ".oslab/source.json", json.dumps({**SOURCE, "sha256": "cd" * 32}))


def change_compiler(tree: Path, other: Path) -> None:
    put(other, "oslab-kernel.json", json.dumps({**BUILD, "toolchain": {"gcc": "14"}}))


def fail(tree: Path, other: Path) -> None:
    put(reuse.work_of(other), "outcome.json", json.dumps({"failed": True}))


def break_off(tree: Path, other: Path) -> None:
    put(reuse.work_of(other), "status.json", json.dumps({"state": "running"}))


def never_end(tree: Path, other: Path) -> None:
    (reuse.work_of(other) / "outcome.json").unlink()


def be_copying(tree: Path, other: Path) -> None:
    put(reuse.work_of(other), reuse.MARK)


def open_to_all(tree: Path, other: Path) -> None:
    other.chmod(0o777)


def be_a_link(tree: Path, other: Path) -> None:
    moved = other.rename(other.parent.parent.parent / "elsewhere")
    other.symlink_to(moved)


def be_built(tree: Path, other: Path) -> None:
    put(tree, "include/config/auto.conf")


@pytest.mark.parametrize(
    "what",
    [change_source, change_compiler, fail, break_off, never_end, be_copying, open_to_all, be_a_link,
     be_built],
)  # fmt: skip
def test_when_nothing_is_taken(tree: Path, other: Path, what: Any) -> None:
    what(tree, other)
    before = products(tree)
    assert reuse.take(tree, BUILD) is None
    assert products(tree) == before


def while_it_copies(monkeypatch: pytest.MonkeyPatch, what: Any) -> None:
    copy = shutil.copyfile

    def do(source: Path, target: Path) -> None:
        what(source, target)
        copy(source, target)

    monkeypatch.setattr(reuse.shutil, "copyfile", do)


def test_a_tree_that_is_built_meanwhile(
    tree: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(reuse.work_of(other))
    before = products(tree)

    def build(*_paths: Path) -> None:
        # Nobody keeps it from being built.
        assert job.acquire()
        job.outcome_path.unlink(missing_ok=True)
        job.release()

    while_it_copies(monkeypatch, build)
    assert reuse.take(tree, BUILD) is None
    assert products(tree) == before


def test_a_tree_that_was_built_by_a_clock_ahead(tree: Path, other: Path) -> None:
    put(other, "init/main.o", when=int(time.time()) + 3600)
    before = products(tree)
    assert reuse.take(tree, BUILD) is None
    assert products(tree) == before
    assert when(tree / "kernel/sys.c") == OLD


def test_a_source_that_is_changed_while_it_is_compared(
    tree: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = filecmp.cmp

    def cmp(mine: Path, theirs: Path, shallow: bool) -> bool:
        if theirs == other / "kernel/sys.c":
            put(other, "kernel/sys.c", mine.read_text(), CHANGED + 1)
        return compare(mine, theirs, shallow=shallow)

    monkeypatch.setattr(reuse.filecmp, "cmp", cmp)
    assert reuse.take(tree, BUILD) is not None
    assert when(tree / "kernel/sys.c") > BUILT


def test_the_latest_one_is_taken(tree: Path, other: Path, tmp_path: Path) -> None:
    later = tmp_path / "carol" / "linux"
    shutil.copytree(other.parent, later.parent)
    os.utime(reuse.work_of(other) / "outcome.json", (BUILT + 1, BUILT + 1))
    os.utime(reuse.work_of(later) / "outcome.json", (BUILT + 2, BUILT + 2))
    taken = reuse.take(tree, BUILD)
    assert taken is not None
    assert taken.tree == later


@pytest.mark.parametrize("what", ["patch", "option"])
def test_the_most_similar_one_is_taken(tree: Path, other: Path, tmp_path: Path, what: str) -> None:
    later = tmp_path / "carol" / "linux"
    shutil.copytree(other.parent, later.parent)
    if what == "patch":
        put(later, ".oslab/patch.json", json.dumps({"sha256": "ef" * 32}))
    else:
        put(later, ".config", "CONFIG_A=y\nCONFIG_B=y\n")
    taken = reuse.take(tree, BUILD)
    assert taken is not None
    assert taken.tree == other


def test_who_is_killed_while_it_copies_makes_all_anew(
    tree: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = products(tree)

    def die(_source: Path, target: Path) -> None:
        if target.name == "objtool":
            target.write_text("half a file")
            raise KeyboardInterrupt

    while_it_copies(monkeypatch, die)
    with pytest.raises(KeyboardInterrupt):
        reuse.take(tree, BUILD)
    assert (reuse.work_of(tree) / reuse.MARK).exists()
    assert products(tree) != before
    reuse.recover(tree)
    assert products(tree) == before
    assert not (reuse.work_of(tree) / reuse.MARK).exists()


def test_a_disk_that_is_full(tree: Path, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = products(tree)

    def fill(_source: Path, target: Path) -> None:
        if target.name == "objtool":
            target.write_text("half a file")
            raise OSError(28, "No space left on device")

    while_it_copies(monkeypatch, fill)
    with pytest.raises(OSError, match="No space"):
        reuse.take(tree, BUILD)
    assert products(tree) == before
    assert not (reuse.work_of(tree) / reuse.MARK).exists()
