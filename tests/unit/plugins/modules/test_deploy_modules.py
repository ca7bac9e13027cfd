# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the deploy phase: documentation, check mode and failure messages."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import ANY

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.doc_fragments import boot_loader
from ansible_collections.oslab.kernel.plugins.modules import (
    apt_index,
    apt_removal_info,
    apt_update,
    aptly_repo,
    boot_entry,
    config_files,
    kernel_modules,
    kexec_load,
    netconsole_log,
    repository_documents,
    repository_server_info,
    repository_state,
    trial_evidence_info,
)
from ansible_collections.oslab.kernel.tests.lib.grub_settings import settled
from ansible_collections.oslab.kernel.tests.lib.module_process import run

ROOT = Path(__file__).resolve().parents[4]

SAMPLES = ROOT / "tests/unit/plugins/module_utils/_boot/grub/grub_cfg"


@pytest.mark.parametrize(
    "module",
    [
        *(apt_index, apt_removal_info, apt_update, aptly_repo, boot_entry, config_files),
        *(kernel_modules, kexec_load, netconsole_log, trial_evidence_info),
        *(repository_documents, repository_server_info, repository_state),
    ],
)
def test_documentation_agrees_with_the_argument_spec(module: ModuleType) -> None:
    documentation = yaml.safe_load(module.DOCUMENTATION)
    documented = documentation["options"]
    for fragment in documentation.get("extends_documentation_fragment", []):
        if fragment == "oslab.kernel.boot_loader":
            documented |= yaml.safe_load(boot_loader.ModuleDocFragment.DOCUMENTATION)["options"]
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
        "settings": settled(tmp_path),
        # Not the filesystem of whoever runs the tests.
        "flush": False,
    }


def test_check_mode_tells_the_change_and_does_not_make_it(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "6.12.57-49-usac1", "state": "once"}
    predicted = run("boot_entry", check=True, **arguments)
    assert predicted["changed"] is True
    assert not Path(grub["environment"]).exists()
    done = run("boot_entry", **arguments)
    assert done["changed"] is True
    assert done["next_entry"] == predicted["next_entry"] == done["entry"]
    assert run("boot_entry", **arguments)["changed"] is False


def test_check_mode_does_not_miss_the_kernel_that_would_be_installed(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "9.9", "state": "once"}
    assert run("boot_entry", check=True, **arguments)["changed"] is True
    assert "no entry for kernel 9.9" in run("boot_entry", **arguments)["msg"]


def test_a_trial_with_arguments_leaves_nothing_behind(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub, "release": "6.12.57-49-usac1"}
    trial = {**arguments, "state": "once", "arguments": ["panic=10"]}
    custom = Path(grub["custom"])
    assert run("boot_entry", check=True, **trial)["changed"] is True
    assert not custom.exists()
    done = run("boot_entry", **trial)
    assert (done["changed"], done["next_entry"]) == (True, "oslab-trial")
    assert "panic=10; then" in custom.read_text()
    assert run("boot_entry", **trial)["changed"] is False
    assert run("boot_entry", **grub, state="cancelled")["changed"] is True
    assert run("boot_entry", **grub, state="cancelled")["changed"] is False
    assert not custom.exists()
    run("boot_entry", **trial)
    done = run("boot_entry", **arguments, state="default")
    assert (done["changed"], done["next_entry"]) == (True, "")
    assert not custom.exists()
    assert "as they are written" in run("boot_entry", **{**trial, "arguments": ["a b"]})["msg"]


def test_a_look_lists_the_releases(grub: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {**grub}
    seen = run("boot_entry", **arguments)
    assert seen["changed"] is False
    assert "6.12.57-49-usac1" in seen["releases"]
    assert (seen["default_release"], seen["honours_default"]) == ("", True)
    assert seen["trial_problem"] == ""
    assert seen["entry_command"] == "update-grub"


BOOTCTL = """#!/bin/sh
# Writes its argument where firmware would keep it.
case $1 in
--print-boot-path|--print-esp-path) echo {boot}; exit ;;
set-default) name=Default ;;
set-oneshot) name=OneShot ;;
esac
file={firmware}/LoaderEntry$name-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
rm -f $file
[ -z "$2" ] || printf '\\7\\0\\0\\0%s' "$2" | sed 's/./&\\x00/5g' >$file
"""


def test_systemd_boot_is_asked_where_it_is_named(tmp_path: Path) -> None:
    firmware, boot, tools = tmp_path / "efivars", tmp_path / "efi", tmp_path / "bin"
    for directory in (firmware, tools, boot / "loader/entries"):
        directory.mkdir(parents=True)
    (tools / "bootctl").write_text(BOOTCTL.format(boot=boot, firmware=firmware))
    (tools / "bootctl").chmod(0o755)
    vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    for name, value in (
        ("Info", "systemd-boot".encode("utf-16-le")),
        ("Features", b"\xff\7\0\0\0\0\0\0"),
    ):
        (firmware / f"Loader{name}-{vendor}").write_bytes(b"\6\0\0\0" + value)
    (boot / "linux").write_text("x")
    (boot / "loader/entries/m-6.1+3.conf").write_text("version 6.1\nlinux /linux\noptions a=1\n")
    asked: dict[str, Any] = {
        "path": f"{tools}:/usr/bin:/bin",
        "loader": "systemd-boot",
        "variables": str(firmware),
        "flush": False,
    }
    seen = run("boot_entry", **asked, release="6.1")
    assert (seen["changed"], seen["loader"], seen["options"]) == (False, "systemd-boot", "a=1")
    predicted = run("boot_entry", check=True, **asked, release="6.1", state="default")
    done = run("boot_entry", **asked, release="6.1", state="default")
    for answer in (predicted, done):
        assert (answer["changed"], answer["default_release"]) == (True, "6.1"), answer
        assert "default_entry=m-6.1.conf" in answer["diff"][0]["after"]
    assert [file.name for file in (boot / "loader/entries").iterdir()] == ["m-6.1.conf"]
    assert run("boot_entry", **asked, release="6.1", state="default")["changed"] is False
    assert run("boot_entry", **asked, state="unset")["default_entry"] == ""


def test_a_module_that_no_kernel_has() -> None:
    entry: dict[str, Any] = {"name": "no_such_module_oslab", "params": {"pid": 1}}
    predicted = run("kernel_modules", check=True, modules=[entry])
    assert (predicted["changed"], predicted["modules"][0]["action"]) == (True, "load")
    assert predicted["diff"][0]["after"] == "loaded\npid=1\n"
    unloaded = run("kernel_modules", modules=[{**entry, "state": "unloaded"}])
    assert (unloaded["changed"], unloaded["modules"][0]["action"]) == (False, "none")


def test_what_would_be_loaded_at_boot_is_predicted() -> None:
    entry: dict[str, Any] = {"name": "no_such_module_oslab", "params": {"pid": 1}}
    predicted = run("kernel_modules", check=True, modules=[entry], persistent=True)
    after = {difference["after_header"]: difference["after"] for difference in predicted["diff"]}
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


def test_publishing_on_an_untouched_host_is_predicted(tmp_path: Path) -> None:
    predicted = run(
        "aptly_repo",
        check=True,
        config=str(tmp_path / "aptly.conf"),
        root=str(tmp_path),
        name="r",
        files=[str(tmp_path / "a.deb")],
        gpg_home=str(tmp_path / "gnupg"),
        gpg_key="F" * 40,
    )
    assert predicted["changed"] is True
    assert predicted["publish_reason"] == "nothing is published yet"


def test_a_server_is_refused_with_its_reason_and_described_otherwise() -> None:
    given: dict[str, Any] = {
        "url": "http://[::1]:8090",
        "port": 8090,
        "user": "www-data",
        "root": "/srv",
    }
    assert run("repository_server_info", **given, listen_address="::") == {
        "changed": False,
        "sockets": ["[::]:8090"],
        "check_url": "http://[::1]:8090",
        "notice": "",
        "invocation": ANY,
    }
    refused = run("repository_server_info", **{**given, "user": "root"})
    assert refused["failed"]
    assert "which is root" in refused["msg"]


def test_documents_as_the_role_writes_them(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "directory": str(tmp_path),
        "documents": [
            {"name": "builds/a.json", "src": str(tmp_path / "none")},
            {"name": "key.asc", "content": "key\n"},
            {"name": "d.json", "json": {"release": "6", "index_date": 1}},
        ],
    }
    # The build may not have been made.
    predicted = run("repository_documents", check=True, **arguments)
    assert (predicted["changed"], predicted["names"]) == (True, ["key.asc", "d.json"])
    assert list(tmp_path.iterdir()) == []
    assert "is missing: build again" in run("repository_documents", **arguments)["msg"]
    arguments["documents"] = arguments["documents"][1:]
    assert run("repository_documents", **arguments)["changed"] is True
    assert run("repository_documents", **arguments)["changed"] is False
    assert (tmp_path / "d.json").read_text() == '{\n    "index_date": 1,\n    "release": "6"\n}\n'


def test_a_repository_that_is_not_there_yet(tmp_path: Path) -> None:
    seen = run("repository_state", root=str(tmp_path))
    assert (seen["changed"], seen["traces"], seen["description"]) == (False, [], {})
    (tmp_path / "public").mkdir()
    (tmp_path / "public/oslab-kernel.json").write_text("{")
    assert "does not belong together" in run("repository_state", root=str(tmp_path))["msg"]


def test_what_netconsole_sent_is_read(tmp_path: Path) -> None:
    path = tmp_path / "web1.log"
    assert netconsole_log.read(path) == []
    path.write_bytes(b"[    1.000000] BUG: \x1b[1m\x07y\n[    2.0] Command line: secret\n\xff")
    lines = netconsole_log.read(path)
    assert lines == ["BUG: \\x07y", "Command line: (not shown)", "\ufffd"]


def test_this_machine_has_evidence_of_no_trial_boot() -> None:
    answer = run("trial_evidence_info", release="6.12-never", since=1 << 40)
    assert not answer.get("failed"), answer
    assert answer["records"] == [] and answer["journal"] is None
