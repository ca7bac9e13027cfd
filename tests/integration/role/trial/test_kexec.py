# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host where GRUB cannot write its environment block: who starts its trial boot, or why none."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import problem
from ansible_collections.oslab.kernel.tests.lib.trial_host import deploy, needs_simulation

OLD, NEW = "6.1.0-40-amd64", "6.12.0-x"
ENTRY = (
    "menuentry 'x' --id gnulinux-{0}-advanced-u {{\n"
    "\tlinux /boot/vmlinuz-{0} root=UUID=u\n\tinitrd /boot/initrd.img-{0}\n}}\n"
)
REASON = "GRUB cannot write its environment block: {} is on LVM"


def refusal(tmp_path: Path, playbook: Callable[..., Any], kexec: Any, layer: str = "lvm") -> str:
    """What the preflight says."""
    tools = tmp_path / "bin"
    tools.mkdir()
    programs = {"grub-editenv": "", "grub-probe": f"case $1 in *abstraction) echo {layer};; esac"}
    for name, text in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    menu = tmp_path / "grub.cfg"
    menu.write_text("".join(map(ENTRY.format, [NEW, OLD])))
    names = {"environment": "grubenv", "custom": "custom.cfg", "settings": "default"}
    files = {"config": str(menu), **{key: str(tmp_path / name) for key, name in names.items()}}
    role = {"name": "oslab.kernel.trial", "tasks_from": "fallback/choose"}
    play = {
        "hosts": "kernel_builders",
        "gather_facts": False,
        "environment": {"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin"},
        "module_defaults": {"oslab.kernel.boot_entry": files},
        "tasks": [{"ansible.builtin.include_role": role}],
    }
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([play]))
    run = playbook(
        str(book),
        "--check",
        install_release=NEW,
        install_host_facts={"release": OLD, "boot_loader": "grub"},
        install_record={},
        trial_kexec=kexec,
    )
    return " ".join(run.output.split())


@pytest.mark.skipif(bool(shutil.which("kexec", path="/sbin:/usr/sbin")), reason="it has kexec")
def test_a_host_that_cannot_start_a_kernel_by_kexec(
    tmp_path: Path, playbook: Callable[..., Any]
) -> None:
    said = refusal(tmp_path, playbook, "auto")
    assert REASON.format(tmp_path) in said
    # What this machine's kernel lacks comes first.
    why, remedy = problem()
    assert why
    assert f"So kexec has to start the trial boot, and {why}. {remedy}" in said
    assert "Or give /boot a plain partition" in said


@pytest.mark.parametrize("kexec", [False, "no"])
def test_a_user_who_wants_no_kexec(
    tmp_path: Path, playbook: Callable[..., Any], kexec: Any
) -> None:
    said = refusal(tmp_path, playbook, kexec)
    assert f"{REASON.format(tmp_path)}. Only kexec could start the trial boot there" in said
    assert f"trial_kexec is {kexec}: set it to auto." in said


def test_where_grub_can_write_nothing_is_said(tmp_path: Path, playbook: Callable[..., Any]) -> None:
    said = refusal(tmp_path, playbook, "auto", layer="")
    assert "environment block" not in said
    assert "does not read custom.cfg" in said


@needs_simulation
def test_the_kernel_is_loaded_behind_a_default_that_is_pinned() -> None:
    """Its `systemctl kexec` would be this machine's, so there is no reboot."""
    reason = REASON.format("/boot/grub")
    answers = {"needs_kexec": reason}
    variables = {"trial_reboot": False}
    done = deploy({"stock": [], "new": [], "boot_entry": answers, "variables": variables})
    said = " ".join(done.output.split())
    assert done.status == 0, done.output
    assert f"kexec starts the trial boot of 6.12.117-49-usac1, as {reason}" in said
    assert "After `systemctl kexec` on it (a reset boots the default), it is in the trial" in said
    assert (done.record["complete"], done.record["confirmed"]) == (True, False)
    # A reset is no trial boot that failed.
    assert not done.record.get("trial_boot")
    # Before anything is installed, and again before the kernel is loaded.
    ran = re.findall(r"TASK \[(?:\S+ : )?([^\]]+)\] \*+ (?!skipping)", said)
    order = ["Set the fallback kernel as the default", "Install the packages"]
    order += ["Load the kernel for kexec", order[0], "Load the kernel for kexec"]
    assert [name for name in ran if name in order] == order
    assert not {"Set the one-shot boot entry", "Reboot the host"} & set(ran)
