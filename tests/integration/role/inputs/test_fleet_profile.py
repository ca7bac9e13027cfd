# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/examples/inventories/fleet.yml is taken as it is, and does what it says."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import LOCAL, ROOT, run_playbook

PROFILE = ROOT / "docs/examples/inventories/fleet.yml"
TEXT = PROFILE.read_text(encoding="utf-8")
VALUES = yaml.safe_load(TEXT)["all"]["vars"]
# The stock files that a name and a boot message are written into.
STOCK = ("include/linux/uts.h", "init/main.c")


def without_syscalls() -> dict[str, Any]:
    """What the profile names in comments."""
    lines = re.findall(r"^    # (\w+: (?:\[\]|\"\"))$", TEXT, re.MULTILINE)
    assert len(lines) == 5
    return dict(yaml.safe_load("\n".join(lines)))


def ran(directory: Path, book: Path, *options: str, **variables: Any) -> str:
    """On the profile, whose hosts are all this machine."""
    (directory / "here.json").write_text(json.dumps({"all": {"vars": LOCAL}}))
    done = run_playbook(
        book,
        *("--inventory", str(PROFILE)),
        *options,
        inventory=directory / "here.json",
        variables=variables,
        cwd=directory,
    )
    assert done.status == 0, done.output
    return done.output


def test_preflight_finds_nothing_wrong(tmp_path: Path) -> None:
    output = ran(tmp_path, ROOT / "playbooks/preflight.yml")
    assert "WARNING" not in output


def test_preflight_finds_nothing_wrong_without_the_syscalls(tmp_path: Path) -> None:
    ran(tmp_path, ROOT / "playbooks/preflight.yml", **without_syscalls())


def test_targets_get_the_image_alone_and_load_no_module(tmp_path: Path) -> None:
    play = {
        "hosts": "kernel_targets[0]",
        "gather_facts": False,
        "vars": {"install_release": "6.12.0-x"},
        "tasks": [
            {"ansible.builtin.import_role": {"name": "oslab.kernel.modules"}},
            {"ansible.builtin.debug": {"msg": "{{ install_packages | join(' ') }}."}},
            {"ansible.builtin.debug": {"msg": "{{ modules_list | length }} modules."}},
        ],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    output = ran(tmp_path, tmp_path / "play.yml", "--check")
    assert '"linux-image-6.12.0-x."' in output
    assert '"0 modules."' in output


def patched(tmp_path: Path, **variables: Any) -> Path:
    """The tree that the profile makes of the fake one, which here is a point release, too."""
    tree = tmp_path / "fake"
    shutil.copytree(ROOT / "tests/fixtures/fakelinux", tree, symlinks=True)
    makefile = tree / "Makefile"
    sublevel = VALUES["source_version"].split(".")[2]
    makefile.write_text(makefile.read_text().replace("SUBLEVEL = 0\n", f"SUBLEVEL = {sublevel}\n"))
    with tarfile.open(tmp_path / "linux.tar.xz", "w:xz") as archive:
        archive.add(tree, f"linux-{VALUES['source_version']}")
    ran(
        tmp_path,
        ROOT / "playbooks/build.yml",
        *("--tags", "source,version,patch"),
        source_provider="file",
        source_file=str(tmp_path / "linux.tar.xz"),
        source_tree=str(tmp_path / "work/linux"),
        source_workdir=str(tmp_path / "work"),
        **variables,
    )
    return tmp_path / "work/linux"


def differs(tree: Path) -> set[str]:
    stock = tree.parents[1] / "fake"
    return {
        str(path.relative_to(stock))
        for path in stock.rglob("*")
        if path.is_file() and path.read_bytes() != (tree / path.relative_to(stock)).read_bytes()
    }


@pytest.mark.parametrize("without", [False, True], ids=["syscalls", "no-syscalls"])
def test_the_tree_has_neither_name_nor_boot_message(tmp_path: Path, without: bool) -> None:
    tree = patched(tmp_path, **(without_syscalls() if without else {}))
    changed = differs(tree)
    assert changed.isdisjoint(STOCK)
    assert "Makefile" in changed
    assert f"EXTRAVERSION = {VALUES['version_extraversion']}\n" in (tree / "Makefile").read_text()
    assert ("arch/x86/entry/syscalls/syscall_64.tbl" in changed) is not without
    # That of x86 installs the manifest.
    assert not without or changed == {"Makefile", "arch/x86/Makefile"}
