# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import os
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab.image import (
    DISK,
    FINISHED,
    FIRST_SECTOR,
    Builder,
    Recipe,
    bootstrap_argv,
    mkfs_argv,
    partition_table,
)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    overlay = tmp_path / "over lay"
    (overlay / "etc").mkdir(parents=True)
    (overlay / "etc" / "conf").write_text("a")
    customize = tmp_path / "customize"
    customize.write_text("#!/bin/sh")
    return Recipe("lab", "bookworm", "apt", ("b", "a"), 64, 1, overlay, customize, "/finish")


def test_id_names_the_content(recipe: Recipe) -> None:
    first = recipe.identity()
    assert first.startswith("lab-bookworm-")
    assert dataclasses.replace(recipe, packages=("a", "b", "a")).identity() == first
    for other in (
        dataclasses.replace(recipe, packages=("a",)),
        dataclasses.replace(recipe, size_mib=65),
        dataclasses.replace(recipe, serial=2),
        dataclasses.replace(recipe, finish="/other"),
    ):
        assert other.identity() != first


def test_id_follows_the_files(recipe: Recipe) -> None:
    seen = {recipe.identity()}
    conf = recipe.overlay / "etc" / "conf"
    conf.write_text("b")
    seen.add(recipe.identity())
    conf.chmod(0o755)
    seen.add(recipe.identity())
    recipe.customize.write_text("#!/bin/sh\n")
    seen.add(recipe.identity())
    assert len(seen) == 4
    # What does not reach the image: other people's access to the checkout.
    conf.chmod(0o700)
    assert recipe.identity() in seen


def test_partition_table() -> None:
    table = partition_table(10 * 2048, b"SIGN")
    assert len(table) == 512
    assert table[440:444] == b"SIGN"
    assert table[510:] == b"\x55\xaa"
    active, _start, kind, _end, first, count = struct.unpack("<B3sB3sII", table[446:462])
    assert (active, kind, first, count) == (0x80, 0x83, FIRST_SECTOR, 9 * 2048)


def test_commands(recipe: Recipe) -> None:
    argv = bootstrap_argv(recipe, Path("/r"), ["http://mirror.invalid/debian"], ["Acquire::x 1"])
    assert "--include=a,b" in argv
    assert f"--customize-hook={recipe.customize} \"$1\" '{recipe.overlay}'" in argv
    assert argv[-3:] == ["bookworm", "/r", "http://mirror.invalid/debian"]
    mkfs = mkfs_argv(Path("/r"), Path("/d"), 10 * 2048, "id")
    assert mkfs[-3:] == ["offset=1048576", "/d", "9216k"]


class Tools:
    """Stands in for mmdebstrap, mke2fs, qemu-img and the first boot."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.broken = ""
        self.kernels = ["vmlinuz-1"]
        self.boot = qemu.Boot(False, 0, FINISHED, "")
        self.grub = b"GRUB"

    def run(self, argv: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        program = next(word for word in argv if word in ("mmdebstrap", "mke2fs", "qemu-img"))
        self.called.append(program)
        if program == "mmdebstrap":
            root = Path(argv[-1])
            for name in (*self.kernels, "initrd.img-1"):
                (root / "boot" / name).parent.mkdir(parents=True, exist_ok=True)
                (root / "boot" / name).write_text(name)
        if program == "qemu-img":
            Path(argv[-1]).write_text("disk")
        return subprocess.CompletedProcess(argv, 1 if program == self.broken else 0)

    def watch(self, argv: Sequence[str], *_: Any, **__: Any) -> qemu.Boot:
        self.called.append("boot")
        for part in argv:
            if part.startswith("file="):
                with Path(part[5:].split(",")[0]).open("r+b") as disk:
                    disk.write(self.grub)
        return self.boot


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = Tools()
    monkeypatch.setattr(subprocess, "run", tools.run)
    monkeypatch.setattr(qemu, "watch_boot", tools.watch)
    monkeypatch.setattr(qemu, "run", lambda *_args, **_kwargs: Result(0, "", ""))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        "ansible_collections.oslab.kernel.plugins.module_utils._lab.image.remove_tree", remove
    )
    return tools


def remove(path: Path) -> None:
    for root, directories, files in os.walk(path, topdown=False):
        for name in files:
            (Path(root) / name).unlink()
        for name in directories:
            (Path(root) / name).rmdir()
    if path.exists():
        path.rmdir()


def builder(recipe: Recipe, tmp_path: Path) -> Builder:
    return Builder(recipe, tmp_path / "images", accel="tcg")


def test_build_once(recipe: Recipe, tmp_path: Path, tools: Tools) -> None:
    made = builder(recipe, tmp_path)
    assert made.ensure()
    assert tools.called == ["mmdebstrap", "mke2fs", "boot", "qemu-img"]
    assert sorted(path.name for path in made.final.iterdir()) == [
        DISK,
        "initrd.img",
        "packages.txt",
        "recipe.json",
        "vmlinuz",
    ]
    assert not made.beside(".building").exists()
    assert not builder(recipe, tmp_path).ensure()
    assert len(tools.called) == 4


def test_a_failed_build_leaves_nothing_under_the_final_name(
    recipe: Recipe, tmp_path: Path, tools: Tools
) -> None:
    made = builder(recipe, tmp_path)
    for broken in ("mmdebstrap", "mke2fs", "qemu-img"):
        tools.broken = broken
        with pytest.raises(qemu.QemuError, match=f"{broken} failed with status 1"):
            made.ensure()
        assert not made.exists()
        assert not made.beside(".building").exists()
    tools.broken = ""
    assert made.ensure()


def test_leavings_of_a_killed_build_are_cleared(
    recipe: Recipe, tmp_path: Path, tools: Tools
) -> None:
    made = builder(recipe, tmp_path)
    made.beside(".building").mkdir(parents=True)
    (made.beside(".building") / "half").write_text("")
    assert made.ensure()
    assert not (made.final / "half").exists()


@pytest.mark.parametrize(
    ("boot", "message"),
    [
        (qemu.Boot(False, None, "stuck", ""), "did not end within 300 s under tcg.*stuck"),
        (qemu.Boot(False, 0, "grub-install: error", ""), "ended with status 0.*grub-install: err"),
        (qemu.Boot(False, 1, "", "no such accel"), "ended with status 1.*no such accel"),
    ],
)
def test_first_boot_that_fails_shows_its_serial_line(
    recipe: Recipe, tmp_path: Path, tools: Tools, boot: qemu.Boot, message: str
) -> None:
    tools.boot = boot
    with pytest.raises(qemu.QemuError, match=f"(?s){message}"):
        builder(recipe, tmp_path).ensure()


def test_first_boot_must_leave_a_boot_loader(recipe: Recipe, tmp_path: Path, tools: Tools) -> None:
    tools.grub = b"\0"
    with pytest.raises(qemu.QemuError, match="no GRUB in the MBR"):
        builder(recipe, tmp_path).ensure()


@pytest.mark.parametrize("kernels", [[], ["vmlinuz-1", "vmlinuz-2"]])
def test_exactly_one_kernel(
    recipe: Recipe, tmp_path: Path, tools: Tools, kernels: list[str]
) -> None:
    tools.kernels = kernels
    with pytest.raises(qemu.QemuError, match="must name exactly one kernel"):
        builder(recipe, tmp_path).ensure()


def test_building_needs_root_but_having_does_not(
    recipe: Recipe, tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(qemu.QemuError, match="become: true"):
        builder(recipe, tmp_path).ensure()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    builder(recipe, tmp_path).ensure()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not builder(recipe, tmp_path).ensure()
