# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile target's configuration on a real kernel tree: what make and the image get to see."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG, Lab

SOURCES = sorted(Path("/usr/src").glob("linux-source-6.*.tar.xz"))
# Kconfig, what make reads before it compiles, and what asks the compiler.
PARTS = ("*/Kconfig*", "*/Makefile*", "*/Kbuild*", "*/scripts/*", "*/arch/x86/*", "*/usr/*")

ATTACK = """\
CONFIG_MODULES=y
CONFIG_BLK_DEV_INITRD=y
CONFIG_SYSTEM_BLACKLIST_KEYRING=y
CONFIG_INITRAMFS_SOURCE="$(shell touch {proof})"
CONFIG_EXTRA_FIRMWARE="shadow"
CONFIG_EXTRA_FIRMWARE_DIR="/etc"
CONFIG_SYSTEM_BLACKLIST_HASH_LIST="/etc/shadow"
CONFIG_MODPROBE_PATH="/tmp/x"
CONFIG_CMDLINE_BOOL=y
CONFIG_CMDLINE="init=/bin/sh"
CONFIG_CMDLINE_OVERRIDE=y
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of a real tree that make a configuration."""
    if not SOURCES:
        pytest.skip("no linux-source-6.* is installed: make test-role installs it")
    top = tmp_path_factory.mktemp("trees") / "linux"
    top.mkdir()
    subprocess.run(
        ["tar", "-C", top, "--strip-components=1", "--wildcards", "-xf", SOURCES[-1], *PARTS],
        check=True,
    )
    return top


def make(tree: Path, *arguments: str) -> None:
    subprocess.run(
        ["make", "-C", tree, *arguments],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )


def read_by_make(tree: Path) -> None:
    """Have make read the configuration as it does for usr/, without compiling anything."""
    make(tree, "syncconfig")
    make(tree, "-n", "-f", "scripts/Makefile.build", "obj=usr", "srctree=.", "srcroot=.")


def test_a_target_s_configuration_is_not_run(tree: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    attack = STOCK_CONFIG + ATTACK.format(proof=proof)

    # As the builder would have it if it took the text as it is.
    (tree / ".config").write_text(attack)
    make(tree, "olddefconfig")
    read_by_make(tree)
    assert proof.exists(), "make does not act on such a string: this test shows nothing"
    proof.unlink()
    (tree / ".config").unlink()

    lab = Lab(tmp_path, tree)
    lab.target("alpha", config=attack, modules=["ext4"])
    output = " ".join(lab.run(config_required={"MODULES": "y"}).split())
    read_by_make(tree)
    assert not proof.exists()
    config = lab.config()
    assert config["INITRAMFS_SOURCE"] == config["EXTRA_FIRMWARE"] == '""'
    assert config["MODPROBE_PATH"] == '"/sbin/modprobe"'
    assert config["SYSTEM_BLACKLIST_HASH_LIST"] == '""'
    assert not {"CMDLINE_BOOL", "CMDLINE", "CMDLINE_OVERRIDE"} & set(config)
    assert "INITRAMFS_SOURCE" in output
    assert lab.modules() >= {"EXT4_FS"}
