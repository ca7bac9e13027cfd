# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the deploy phase: documentation, check mode and failure messages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.modules import aptly_repo, grub_entry, kernel_modules

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests" / "fixtures"))

from module_process import run  # noqa: E402

SAMPLES = ROOT / "tests/unit/plugins/module_utils/grub_cfg"


@pytest.mark.parametrize("module", [aptly_repo, grub_entry, kernel_modules])
def test_documentation_agrees_with_the_argument_spec(module: ModuleType) -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    spec = module.argument_spec()
    assert set(documented) == set(spec)
    for name, option in documented.items():
        for key in ("type", "elements", "choices", "default", "required"):
            assert option.get(key) == spec[name].get(key), f"{name}.{key}"
    assert yaml.safe_load(module.EXAMPLES)
    assert yaml.safe_load(module.RETURN)


@pytest.fixture
def grub(tmp_path: Path) -> dict[str, Any]:
    """A grub.cfg, an environment block, and a grub-probe that knows a plain ext4."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "grub-probe").write_text("#!/bin/sh\ncase $1 in *fs) echo ext2;; esac\n")
    (tools / "grub-editenv").write_text(
        '#!/bin/sh\nfile=$1\ncase $2 in set) echo "$3" >> "$file";; create) : > "$file";; '
        'unset) sed -i "/^$3=/d" "$file";; esac\n'
    )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    shutil.copy(SAMPLES / "debian-13.cfg", tmp_path / "grub.cfg")
    return {
        "path": f"{tools}:/usr/bin:/bin",
        "config": str(tmp_path / "grub.cfg"),
        "environment": str(tmp_path / "grubenv"),
        "custom": str(tmp_path / "custom.cfg"),
        # Not the filesystem of whoever runs the tests.
        "settle": False,
    }


def test_check_mode_tells_the_change_and_does_not_make_it(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "6.12.57-49-usac1", "state": "once"}
    foretold = run("grub_entry", check=True, **arguments)
    assert foretold["changed"] is True
    assert not Path(grub["environment"]).exists()
    done = run("grub_entry", **arguments)
    assert done["changed"] is True
    assert done["next_entry"] == foretold["next_entry"] == done["entry"]
    assert run("grub_entry", **arguments)["changed"] is False


def test_check_mode_does_not_miss_the_kernel_that_would_be_installed(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "9.9", "state": "once"}
    assert run("grub_entry", check=True, **arguments)["changed"] is True
    assert "no entry for kernel 9.9" in run("grub_entry", **arguments)["msg"]


def test_a_trial_with_arguments_leaves_nothing_behind(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "6.12.57-49-usac1"}
    trial = {**arguments, "state": "once", "arguments": ["panic=10"]}
    custom = Path(grub["custom"])
    assert run("grub_entry", check=True, **trial)["changed"] is True
    assert not custom.exists()
    done = run("grub_entry", **trial)
    assert (done["changed"], done["next_entry"]) == (True, "oslab-trial")
    assert "panic=10; then" in custom.read_text()
    assert run("grub_entry", **trial)["changed"] is False
    assert run("grub_entry", **grub, state="cancelled")["changed"] is True
    assert run("grub_entry", **grub, state="cancelled")["changed"] is False
    assert not custom.exists()
    run("grub_entry", **trial)
    done = run("grub_entry", **arguments, state="default")
    assert (done["changed"], done["next_entry"]) == (True, "")
    assert not custom.exists()
    assert "as they are written" in run("grub_entry", **{**trial, "arguments": ["a b"]})["msg"]


def test_a_look_lists_the_releases(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub}
    seen = run("grub_entry", **arguments)
    assert seen["changed"] is False
    assert "6.12.57-49-usac1" in seen["releases"]
    assert (seen["saved_release"], seen["read_only"], seen["honours_saved"]) == ("", "", True)


def test_a_module_that_no_kernel_has() -> None:
    entry: dict[str, Any] = {"name": "no_such_module_oslab", "params": {"pid": 1}}
    foretold = run("kernel_modules", check=True, modules=[entry])
    assert (foretold["changed"], foretold["modules"][0]["action"]) == (True, "load")
    assert foretold["diff"][0]["after"] == "loaded\npid=1\n"
    unloaded = run("kernel_modules", modules=[{**entry, "state": "unloaded"}])
    assert (unloaded["changed"], unloaded["modules"][0]["action"]) == (False, "none")


def test_what_would_be_loaded_at_boot_is_foretold() -> None:
    entry: dict[str, Any] = {"name": "no_such_module_oslab", "params": {"pid": 1}}
    foretold = run("kernel_modules", check=True, modules=[entry], persistent=True)
    after = {difference["after_header"]: difference["after"] for difference in foretold["diff"]}
    assert "options no_such_module_oslab pid=1\n" in after["/etc/modprobe.d/oslab-kernel.conf"]
    assert not Path("/etc/modprobe.d/oslab-kernel.conf").exists()


@pytest.mark.skipif(not shutil.which("modinfo"), reason="kmod is not installed")
def test_a_missing_module_names_the_running_kernel() -> None:
    failed = run(
        "kernel_modules",
        path="/usr/sbin:/usr/bin:/sbin:/bin",
        modules=[{"name": "no_such_module_oslab"}],
    )
    assert "has no module no_such_module_oslab" in failed["msg"]


def test_publishing_on_an_untouched_host_is_foretold(tmp_path: Path) -> None:
    foretold = run(
        "aptly_repo",
        check=True,
        config=str(tmp_path / "aptly.conf"),
        root=str(tmp_path),
        name="r",
        files=[str(tmp_path / "a.deb")],
        gpg_home=str(tmp_path / "gnupg"),
        gpg_key="F" * 40,
    )
    assert foretold["changed"] is True
    assert foretold["publish_reason"] == "nothing is published yet"
