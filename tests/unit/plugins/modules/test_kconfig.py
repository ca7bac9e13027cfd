# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kconfig, run as Ansible runs it, on the fake tree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.modules import kconfig
from ansible_collections.oslab.kernel.tests.lib.module_process import PYTHONPATH

MODULE = "ansible_collections.oslab.kernel.plugins.modules.kconfig"
BASE = "CONFIG_NET=y\nCONFIG_EXT4_FS=m\nCONFIG_XFS_FS=m\n"


def run(tree: Path, *, path: str = "", **arguments: Any) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"tree": str(tree), **arguments}}),
        capture_output=True,
        env={
            "PYTHONPATH": PYTHONPATH,
            "PATH": f"{path}/usr/bin:/bin",
            # What a calling make or a shell may leave behind must not matter.
            "MAKEFLAGS": "--no-such-option",
            "KCONFIG_CONFIG": "/nonexistent/config",
        },
        text=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


@pytest.fixture
def base(tmp_path: Path) -> str:
    (tmp_path / "base.config").write_text(BASE)
    return str(tmp_path / "base.config")


def test_check_mode_writes_nothing(fakelinux: Path, base: str) -> None:
    before = sorted(fakelinux.rglob("*"))
    result = run(fakelinux, base=base, _ansible_check_mode=True, _ansible_diff=True)
    assert result["changed"] is True
    assert result["kernelrelease"] == "6.12.0"
    assert "CONFIG_EXT4_FS" not in result["diff"]["after"]
    assert "CONFIG_MULTIUSER=y" in result["diff"]["after"]
    assert sorted(fakelinux.rglob("*")) == before


def test_written_once_and_left_alone(fakelinux: Path, base: str) -> None:
    first = run(fakelinux, base=base, lsmod=["ext4"])
    config = fakelinux / ".config"
    assert first["changed"] is True
    assert first["counts"]["m"] == 1
    assert config.stat().st_mode & 0o777 == 0o644
    written = config.stat()

    second = run(fakelinux, base=base, lsmod=["ext4"])
    assert second["changed"] is False
    assert second["changed_symbols"] == []
    assert config.stat().st_mtime_ns == written.st_mtime_ns
    for key in ("config_sha256", "counts", "kernelrelease"):
        assert first[key] == second[key]

    # Without the stamp all is computed again, and comes out the same.
    (fakelinux / ".oslab" / "kconfig.json").unlink()
    assert run(fakelinux, base=base, lsmod=["ext4"])["changed"] is False
    assert config.stat().st_ino == written.st_ino

    third = run(fakelinux, base=base, lsmod=["ext4"], options={"PM": "y"})
    assert third["changed_symbols"] == ["FREEZER", "PM"]
    assert third["diff"]["before"] == "# CONFIG_FREEZER is not set\n# CONFIG_PM is not set\n"


def test_the_order_of_the_modules_does_not_matter(fakelinux: Path, base: str) -> None:
    run(fakelinux, base=base, lsmod=["ext4", "xfs"], keep=["ext4", "virtio_net"])
    stamp = fakelinux / ".oslab" / "kconfig.json"
    written = stamp.stat().st_mtime_ns
    run(fakelinux, base=base, lsmod=["xfs", "ext4"], keep=["virtio_net", "ext4"])
    assert stamp.stat().st_mtime_ns == written
    run(fakelinux, base=base, lsmod=["xfs"], keep=["virtio_net", "ext4"])
    assert stamp.stat().st_mtime_ns != written


def test_a_config_edited_by_hand_is_made_again(fakelinux: Path, base: str) -> None:
    first = run(fakelinux, base=base)
    config = fakelinux / ".config"
    config.write_text(config.read_text().replace("CONFIG_NET=y", "# CONFIG_NET is not set"))
    again = run(fakelinux, base=base)
    assert again["changed"] is True
    assert again["config_sha256"] == first["config_sha256"]


def test_the_tree_s_own_config_is_the_base(fakelinux: Path) -> None:
    (fakelinux / ".config").write_text(BASE)
    assert run(fakelinux)["changed"] is True
    assert run(fakelinux)["changed"] is False
    assert "CONFIG_XFS_FS=m" in (fakelinux / ".config").read_text()


def test_what_does_not_take_leaves_the_old_config(fakelinux: Path, base: str) -> None:
    run(fakelinux, base=base)
    before = (fakelinux / ".config").read_text()
    result = run(fakelinux, base=base, options={"INET": "y", "NET": "n"}, required={"PM": "y"})
    assert result["failed"] is True
    assert result["changed"] is False
    assert "config_options INET: wanted y, got n: depends on NET (NET=n)" in result["msg"]
    assert "config_required PM: wanted y, got n" in result["msg"]
    assert (fakelinux / ".config").read_text() == before
    # The lists of thousands of symbols would be printed, the reason last.
    assert set(result) <= {"failed", "changed", "msg", "invocation"}


def test_what_does_not_take_fits_a_screen(fakelinux: Path) -> None:
    many = [f"option X{number}: wanted y" for number in range(5000)]
    path = fakelinux / ".oslab/kconfig-refused.txt"
    message = kconfig.refusal(many, path)
    assert len(message.splitlines()) < 20
    assert f"and 4988 more; all of them are in {path}" in message
    assert path.read_text().splitlines() == many
    assert kconfig.refusal(many[:2], None).splitlines()[1:] == many[:2]


def test_btf_without_pahole_fails_before_the_build(
    fakelinux: Path, base: str, tmp_path: Path
) -> None:
    options = {"DEBUG_KERNEL": "y", "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT": "y"}
    options["DEBUG_INFO_BTF"] = "y"
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pahole").write_text("#!/bin/sh\necho v1.10\n")
    (fake / "pahole").chmod(0o755)
    result = run(fakelinux, path=f"{fake}:", base=base, options=options)
    assert result["failed"] is True
    assert "DEBUG_INFO_BTF=y, but pahole is 1.10: install a newer pahole" in result["msg"]
    assert not (fakelinux / ".config").exists()


def test_missing_inputs(fakelinux: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert "is not a kernel tree" in run(missing)["msg"]
    assert "the base configuration" in run(fakelinux, base=str(missing))["msg"]
    for arguments in ({"tree": missing}, {"tree": fakelinux, "base": str(missing)}):
        result = run(**arguments, _ansible_check_mode=True)
        assert result["changed"] is True
        assert "would be made" in result["msg"]


def test_documentation() -> None:
    options = yaml.safe_load(kconfig.DOCUMENTATION)["options"]
    assert set(options) == {
        *(
            "tree",
            "base",
            "fragments",
            "base_origin",
            "lsmod",
            "keep",
            "options",
            "options_extra",
            "optional",
            "required",
            "make_args",
            "root",
        )
    }
    assert yaml.safe_load(kconfig.EXAMPLES)


def test_returns_are_documented(fakelinux: Path, base: str) -> None:
    returned = set(run(fakelinux, base=base)) - {"changed", "diff", "invocation"}
    assert returned == set(yaml.safe_load(kconfig.RETURN))
