# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab.image import FINISHED
from ansible_collections.oslab.kernel.plugins.module_utils._lab.vagrant import (
    GIB,
    Builder,
    Recipe,
    boot_argv,
    choose_accel,
    driver,
    metadata,
    pack,
)

TCG = qemu.Accel("tcg", "asked for")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    image = tmp_path / "lab-bookworm-0123"
    overlay = tmp_path / "over lay"
    (overlay / "etc").mkdir(parents=True)
    (overlay / "etc/conf").write_text("a")
    (overlay / "finish").write_text("#!/bin/sh")
    (overlay / "finish").chmod(0o700)
    image.mkdir()
    for name in ("disk.qcow2", "vmlinuz", "initrd.img"):
        (image / name).write_text(name)
    vagrantfile = tmp_path / "Vagrantfile"
    vagrantfile.write_text("# settings")
    return Recipe("box", image, overlay, vagrantfile, "/finish")


def test_id_names_the_content(recipe: Recipe) -> None:
    seen = {recipe.identity()}
    assert recipe.identity().startswith("box-")
    seen.add(dataclasses.replace(recipe, finish="/other").identity())
    other = recipe.image.rename(recipe.image.with_name("lab-bookworm-4567"))
    seen.add(dataclasses.replace(recipe, image=other).identity())
    recipe.vagrantfile.write_text("# others")
    seen.add(recipe.identity())
    (recipe.overlay / "etc/conf").write_text("b")
    seen.add(recipe.identity())
    assert len(seen) == 5


def test_files_are_packed_without_their_owners_and_directories(
    recipe: Recipe, tmp_path: Path
) -> None:
    pack(recipe.overlay, tmp_path / "files.tar")
    with tarfile.open(tmp_path / "files.tar") as tar:
        assert [(item.name, item.mode, item.uid, item.mtime) for item in tar] == [
            ("etc/conf", 0o644, 0, 0),
            ("finish", 0o755, 0, 0),
        ]


def test_the_shell_gets_its_command_whole(recipe: Recipe) -> None:
    argv = boot_argv(recipe, "tcg", Path("/work"))
    line = argv[argv.index("-append") + 1]
    kernel, init = line.split(" -- ")
    assert kernel.endswith(" init=/bin/sh")
    assert init == '-c "tar -xf /dev/vdb -C / && exec /finish"'
    # The kernel cuts a word of init's at its first `=`.
    assert "=" not in init
    drives = [argv[i + 1] for i, word in enumerate(argv) if word == "-drive"]
    # Their order makes the second one vdb.
    assert [drive.split(",")[0] for drive in drives] == [
        "file=/work/overlay.qcow2",
        "file=/work/files.tar",
    ]


@pytest.mark.parametrize(("size", "gib"), [(6 * GIB, 6), (6 * GIB + 1, 7), (1, 1)])
def test_the_disk_is_counted_in_whole_gib(size: int, gib: int) -> None:
    parsed = json.loads(metadata(size))
    assert parsed == {"provider": "libvirt", "format": "qcow2", "virtual_size": gib}


def test_driver_follows_what_works(recipe: Recipe, tmp_path: Path) -> None:
    assert driver(choose_accel(recipe.image, "tcg", tmp_path / "accel.json")) == "qemu"
    assert driver(choose_accel(recipe.image, "kvm", tmp_path / "accel.json")) == "kvm"
    (recipe.image / "vmlinuz").unlink()
    with pytest.raises(qemu.QemuError, match="has no kernel"):
        choose_accel(recipe.image, "tcg", tmp_path / "accel.json")


class Tools:
    """Stands in for qemu-img and the boot."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.broken = ""
        self.boot = qemu.Boot(False, 0, FINISHED, "")

    def run(self, argv: Sequence[str], **_: Any) -> Result:
        if argv[0] != "qemu-img":
            return REAL_RUN(argv)
        self.called.append(argv[1])
        if argv[1] == self.broken:
            return Result(1, "", "no space left")
        if argv[1] != "info":
            Path(argv[-1]).write_text(argv[1])
        return Result(0, json.dumps({"virtual-size": 6 * GIB}), "")

    def watch(self, *_: Any, **__: Any) -> qemu.Boot:
        self.called.append("boot")
        return self.boot


REAL_RUN = qemu.run


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = Tools()
    monkeypatch.setattr(qemu, "run", tools.run)
    monkeypatch.setattr(qemu, "watch_boot", tools.watch)
    return tools


def test_a_box_is_made_once_and_holds_three_files(
    recipe: Recipe, tmp_path: Path, tools: Tools
) -> None:
    builder = Builder(recipe, tmp_path / "boxes", TCG)
    assert builder.ensure()
    assert tools.called == ["create", "boot", "convert", "info"]
    with tarfile.open(builder.final, "r:gz") as box:
        assert box.getnames() == ["metadata.json", "Vagrantfile", "box.img"]
        files = {item.name: box.extractfile(item) for item in box}
        assert files["box.img"] is not None
        assert files["Vagrantfile"] is not None
    assert not builder.beside(".building").exists()
    assert not Builder(recipe, tmp_path / "boxes", TCG).ensure()
    assert len(tools.called) == 4


@pytest.mark.parametrize("broken", ["create", "convert", "info"])
def test_a_failed_build_leaves_no_box(
    recipe: Recipe, tmp_path: Path, tools: Tools, broken: str
) -> None:
    builder = Builder(recipe, tmp_path / "boxes", TCG)
    tools.broken = broken
    with pytest.raises(qemu.QemuError, match=f"qemu-img {broken} .*no space left"):
        builder.ensure()
    assert not builder.exists()
    assert not builder.beside(".building").exists()


@pytest.mark.parametrize(
    ("boot", "message"),
    [
        (qemu.Boot(False, None, "stuck", ""), "did not end within 300 s under tcg.*stuck"),
        (qemu.Boot(False, 0, "useradd: no", ""), "ended with status 0.*useradd: no"),
        (qemu.Boot(False, 1, FINISHED, "lost disk"), "ended with status 1.*lost disk"),
    ],
)
def test_a_boot_that_fails_shows_its_serial_line(
    recipe: Recipe, tmp_path: Path, tools: Tools, boot: qemu.Boot, message: str
) -> None:
    tools.boot = boot
    builder = Builder(recipe, tmp_path / "boxes", TCG)
    with pytest.raises(qemu.QemuError, match=f"(?s){message}"):
        builder.ensure()
    assert not builder.exists()
