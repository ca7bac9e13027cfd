# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `config` on the fake kernel tree, run by ansible-playbook: some seconds a run."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing
from ansible_collections.oslab.kernel.plugins.module_utils._patch.edits import Syscall
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG, Lab
from ansible_collections.oslab.kernel.tests.lib.default_plan import default_plan
from ansible_collections.oslab.kernel.tests.lib.kernel_trees import patch
from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT


def unchanged(output: str) -> bool:
    recap = [line for line in output.splitlines() if line.startswith("builder")]
    return len(recap) == 1 and "changed=0 " in recap[0]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    tree = tmp_path / "trees" / "linux"
    shutil.copytree(ROOT / "tests" / "fixtures" / "fakelinux", tree)
    patch(tree)
    return Lab(tmp_path, tree)


def test_from_stock_targets_to_a_second_run_on_ours(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python orders sets by it, at random from run to run; so beta would come first here.
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    lab.target("alpha", modules=["ext4", "io_throttle_mod"], essential_modules=["virtio_blk"])
    lab.target("beta", modules=["ext4"], essential_modules=["nvme_core"])
    lab.targets["gamma"] = {}  # not reached

    check = lab.run("--check")
    assert not unchanged(check)
    assert not (lab.tree / ".config").exists()
    assert not lab.inputs.exists()

    output = lab.run()
    assert "Nothing is known of gamma" in output
    # The union of both; VIRTIO comes with VIRTIO_BLK.
    assert lab.modules() == {"EXT4_FS", "VIRTIO_BLK", "VIRTIO", "NVME_CORE"}
    config = lab.config()
    assert config["SYSTEM_TRUSTED_KEYS"] == config["SYSTEM_REVOCATION_KEYS"] == '""'
    assert config["LOCALVERSION"] == '""'
    assert config["DEBUG_INFO_NONE"] == config["GET_IO_THROTTLE"] == "y"
    assert "DEBUG_INFO" not in config
    stamp = (lab.tree / ".config").stat().st_mtime_ns

    # Now alpha runs what was built: less loaded, another configuration in /boot.
    ours = {"release": "6.12.0-49-usac1", "oslab": {"schema": 1}, "modules": ["ext4"]}
    lab.target("alpha", config="CONFIG_NET=y\n", **ours)
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    assert unchanged(lab.run())
    assert unchanged(lab.run("--check", "--diff"))
    assert (lab.tree / ".config").stat().st_mtime_ns == stamp

    # Unless it is to be read anew; beta's configuration, a stock one, then goes first.
    lab.run(config_refresh_targets=True)
    assert lab.modules() == {"EXT4_FS", "NVME_CORE"}
    captures = json.loads((lab.inputs / "targets.json").read_text())
    assert captures["alpha"]["release"] == "6.12.0-49-usac1"
    assert set(captures["alpha"]) >= {"modules", "essential_modules", "oslab"}
    assert "free_kib" not in captures["alpha"]


def test_a_host_whose_drivers_are_built_in(lab: Lab) -> None:
    """The base is another host's, which has none of them: they come, or are named."""
    base = STOCK_CONFIG.replace("CONFIG_NET=y\n", "").replace("CONFIG_VIRTIO_BLK=m\n", "")
    lab.target("alpha", config=base, modules=["ext4"])
    built_in = ["ext4", "virtio", "virtio_blk", "virtio_net"]
    lab.target("beta", modules=[], essential_modules=built_in)
    output = lab.run()
    assert {"EXT4_FS", "VIRTIO_BLK", "VIRTIO_NET"} <= lab.modules()
    assert lab.config()["NET"] == "y"
    assert "could not be switched on" not in output

    output = " ".join(lab.run(config_options={"VIRTIO_NET": "n"}).split())
    assert "file systems may need them: virtio_net." in output


def test_keep_and_options(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    options = {"DEFAULT_HOSTNAME": "a lab", "NR_CPUS": 8, "PM": True, "LOCALVERSION": "-x"}
    lab.run(config_keep_modules=["usbhid"], config_options=options)
    assert lab.modules() == {"EXT4_FS", "USB_HID"}
    config = lab.config()
    assert config["DEFAULT_HOSTNAME"] == '"a lab"'
    assert config["NR_CPUS"] == "8"
    assert config["PM"] == "y"
    assert config["LOCALVERSION"] == '"-x"'

    lab.run(config_localmodconfig=False)
    assert "SND_DUMMY" in lab.modules()


def test_fragments(lab: Lab, tmp_path: Path) -> None:
    lab.target("alpha", modules=["ext4"], essential_modules=["virtio_blk"])
    mine = tmp_path / "mine.config"
    mine.write_text(
        '# CONFIG_PM is not set\nCONFIG_NR_CPUS=3\nCONFIG_DEFAULT_HOSTNAME="x"\nCONFIG_NO_SUCH=y\n'
    )
    lab.run(config_fragments=["lean.config", str(mine)], config_options={"NR_CPUS": 5})
    config = lab.config()
    assert config["NR_CPUS"] == "5"
    assert config["DEFAULT_HOSTNAME"] == '"x"'
    assert config.get("PM", "n") == "n"
    assert unchanged(
        lab.run(config_fragments=["lean.config", str(mine)], config_options={"NR_CPUS": 5})
    )

    mine.write_text("# CONFIG_VIRTIO_BLK is not set\n")
    output = " ".join(lab.run(config_fragments=[str(mine)], ok=False).split())
    assert "module virtio_blk, which must be kept: VIRTIO_BLK is n" in output
    assert "config_fragments leaves it out, and config_options can set it" in output
    mine.write_text("VIRTIO_BLK=n\n")
    output = " ".join(lab.run(config_fragments=[str(mine)], ok=False).split())
    assert f"config_fragments[0]: cannot read {mine}: line 1 is 'VIRTIO_BLK=n'" in output


def test_debug_information_by_one_variable_and_back(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    lab.run(config_debug_info=True)
    config = lab.config()
    assert config["DEBUG_INFO"] == config["DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT"] == "y"
    assert unchanged(lab.run(config_debug_info=True))
    lab.run()
    assert "DEBUG_INFO" not in lab.config()


def test_debug_information_that_is_switched_off_by_hand_is_refused(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    output = lab.run(config_debug_info=True, config_options={"DEBUG_INFO_NONE": "y"}, ok=False)
    assert "DEBUG_INFO" in output


def test_given_base_without_targets(lab: Lab) -> None:
    base = lab.tmp_path / "my.config"
    base.write_text(STOCK_CONFIG)
    lab.run(config_base=str(base))
    assert "SND_DUMMY" in lab.modules()
    assert unchanged(lab.run(config_base=str(base)))


def test_unknown_option_is_refused_before_anything_is_written(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    output = " ".join(lab.run(ok=False, config_options={"EXT4FS": "y", "NO_SUCH": "y"}).split())
    assert "config_options EXT4FS" in output
    assert "did you mean EXT4_FS" in output
    assert "config_options NO_SUCH" in output
    assert not (lab.tree / ".config").exists()


def test_what_does_not_take_is_named(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    output = lab.run(ok=False, config_options={"NET": "n"}, config_required={"TASK_XACCT": "y"})
    output = " ".join(output.split())
    assert (
        "config_required TASK_XACCT: wanted y, got n: depends on TASKSTATS (TASKSTATS=n)" in output
    )
    assert (
        "syscall get_io_throttle would not be in the kernel: GET_IO_THROTTLE is n, because it "
        "depends on TASK_IO_ACCOUNTING (TASK_IO_ACCOUNTING=n)" in output
    )
    assert "TASKSTATS: depends on NET (NET=n)" in output
    assert not (lab.tree / ".config").exists()


def test_the_exports_that_modules_need_stay(lab: Lab) -> None:
    """A kernel without them builds, and then the modules do not, or cannot be loaded."""
    lab.target("alpha", config=STOCK_CONFIG + "CONFIG_TRIM_UNUSED_KSYMS=y\n", modules=["ext4"])
    lab.run()
    assert "TRIM_UNUSED_KSYMS" not in lab.config()
    output = lab.run(ok=False, config_options={"TRIM_UNUSED_KSYMS": "y"})
    assert "required TRIM_UNUSED_KSYMS: wanted n, got y: config_options sets it to y" in " ".join(
        output.split()
    )


SOURCE = "SYSCALL_DEFINE1(get_answer, int __user *, answer)\n{\n}\n"


def add(lab: Lab, depends: str) -> None:
    """A syscall of a user's besides the three."""
    plan = default_plan(ROOT)
    own = Syscall("get_answer", "get_answer.c", SOURCE, "GET_ANSWER", depends=depends)
    patch(lab.tree, dataclasses.replace(plan, syscalls=[*plan.syscalls, own]))


def test_a_syscall_is_in_the_configuration_or_the_run_fails_and_says_why(lab: Lab) -> None:
    """Without a line of it in config_required and config_default_options."""
    lab.target("alpha", modules=["ext4"])
    add(lab, "PM")
    output = " ".join(lab.run(ok=False).split())
    assert (
        "syscall get_answer would not be in the kernel: GET_ANSWER is n, because it depends on PM "
        "(PM=n). Set config_options_extra: {PM: y}, or take it out of patch_syscalls" in output
    )
    assert not (lab.tree / ".config").exists()

    lab.run(config_options={"NR_CPUS": 8, "PM": "n"}, config_options_extra={"CONFIG_PM": "y"})
    assert lab.config()["NR_CPUS"] == "8"
    assert lab.config()["GET_ANSWER"] == lab.config()["TRACK_SYSCALL_USAGE"] == "y"

    output = " ".join(lab.run(config_options={"PM": "y", "GET_ANSWER": "n"}, ok=False).split())
    assert "GET_ANSWER is set to n by config_options" in output


def test_what_no_kconfig_file_defines_is_named(lab: Lab) -> None:
    lab.target("alpha", modules=["ext4"])
    add(lab, "NO_SUCH")
    output = " ".join(lab.run(ok=False).split())
    assert "NO_SUCH: no Kconfig file of this tree defines it" in output


def test_nothing_to_start_from(lab: Lab) -> None:
    output = " ".join(lab.run(ok=False).split())
    assert "config_base is empty" in output
    assert "(no hosts)" in output
    missing = " ".join(lab.run(ok=False, config_base="/nowhere/x.config").split())
    assert "config_base is /nowhere/x.config, but the control node has no such file" in missing
    assert not lab.inputs.exists()


def test_modules_are_signed_with_a_key_or_not_at_all(lab: Lab) -> None:
    """With a configuration such as Ubuntu's, kbuild would make a key."""
    stock = "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_ALL=y\n"
    stock += 'CONFIG_MODULE_SIG_KEY="certs/signing_key.pem"\n'
    lab.target("alpha", config=STOCK_CONFIG + stock, modules=["ext4"])
    output = lab.run()
    assert "Modules are not signed" in output
    config = lab.config()
    assert config["MODULE_SIG"] == "y"
    assert config["MODULE_SIG_KEY"] == '""'
    assert "MODULE_SIG_ALL" not in config
    output = lab.run(config_module_signing=True)
    assert "Modules are not signed" not in output
    config = lab.config()
    assert "MODULE_SIG_ALL" not in config
    assert config["MODULE_SIG_KEY"] == f'"{signing.KEY_FILE}"'
    assert unchanged(lab.run(config_module_signing=True))


ATTACK = """\
CONFIG_INITRAMFS_SOURCE="$(shell touch {proof})"
CONFIG_EXTRA_FIRMWARE="shadow"
CONFIG_EXTRA_FIRMWARE_DIR="/etc"
CONFIG_DEFAULT_HOSTNAME="`touch {proof}`"
CONFIG_NR_CPUS=$(shell touch {proof})
"""


def test_a_target_s_strings_do_not_reach_the_build(lab: Lab) -> None:
    attack = ATTACK.format(proof=lab.tmp_path / "proof")
    lab.target("alpha", config=STOCK_CONFIG + attack, modules=["ext4"])
    output = " ".join(lab.run().split())
    assert not {"$", "`", ";"} & set("".join(lab.config().values()))
    assert lab.config()["DEFAULT_HOSTNAME"] == '"(none)"'
    assert "not taken from the target's configuration" in output
    assert "DEFAULT_HOSTNAME" in output
    assert "$(shell" not in output
    assert unchanged(lab.run())


def test_a_user_s_own_configuration_counts_but_for_what_a_shell_acts_on(lab: Lab) -> None:
    base = lab.tmp_path / "my.config"
    base.write_text(STOCK_CONFIG + 'CONFIG_DEFAULT_HOSTNAME="lab 1"\n')
    lab.run(config_base=str(base))
    assert lab.config()["DEFAULT_HOSTNAME"] == '"lab 1"'
    base.write_text(STOCK_CONFIG + 'CONFIG_DEFAULT_HOSTNAME="$(shell id)"\n')
    output = lab.run(config_base=str(base), ok=False)
    assert "DEFAULT_HOSTNAME: its value has '$'" in " ".join(output.split())
    assert lab.config()["DEFAULT_HOSTNAME"] == '"lab 1"'
    lab.run(config_base=str(base), config_options={"DEFAULT_HOSTNAME": "a;b"}, ok=False)
    lab.run(config_base=str(base), config_options={"DEFAULT_HOSTNAME": "ab"})


def test_what_a_target_tells_is_no_template(lab: Lab) -> None:
    proof = lab.tmp_path / "proof"
    evil = f"{{{{ lookup('ansible.builtin.pipe', 'touch {proof}') }}}}"
    lab.target("alpha", modules=["ext4"])
    lab.run()
    # As an earlier version would have kept it of a hostile target.
    known = json.loads((lab.inputs / "targets.json").read_text())
    known["beta"] = {**known["alpha"], "modules": ["ext4", evil]}
    (lab.inputs / "targets.json").write_text(json.dumps(known))
    lab.targets["beta"] = {}
    output = " ".join(lab.run().split())
    assert not proof.exists()
    assert "beta: its modules have names that no module has" in output
    assert lab.modules() == {"EXT4_FS"}
