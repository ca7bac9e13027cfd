# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of several kernels to come back to, the newest is chosen, in each process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

RELEASES = [f"6.1.0-{number}-amd64" for number in (40, 38, 37, 35, 32, 31)]
NEW = "6.12.0-x"
ENTRY = (
    "menuentry 'x' --id gnulinux-{0}-advanced-u {{\n"
    "\tlinux /boot/vmlinuz-{0} root=UUID=u\n\tinitrd /boot/initrd.img-{0}\n}}\n"
)


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_newest_kernel_is_chosen(
    tmp_path: Path, playbook: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("grub-probe", "grub-editenv"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin")
    menu = tmp_path / "grub.cfg"
    menu.write_text("".join(map(ENTRY.format, [NEW, *RELEASES])))
    files = {"environment": str(tmp_path / "grubenv"), "custom": str(tmp_path / "custom.cfg")}
    role = {"name": "oslab.kernel.trial", "tasks_from": "fallback/choose"}
    shown = {"ansible.builtin.debug": {"msg": "CHOSEN {{ trial_fallback }} ENDS"}}
    tasks = [{"block": [{"ansible.builtin.include_role": role}], "always": [shown]}]
    play = {
        "hosts": "kernel_builders",
        "gather_facts": False,
        "module_defaults": {"oslab.kernel.boot_entry": {"config": str(menu), **files}},
        "tasks": tasks,
    }
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([play]))
    run = playbook(
        str(book),
        "--check",
        install_release=NEW,
        # Its kernel is the one that is about to be replaced.
        install_host_facts={"release": NEW, "boot_loader": "grub"},
        install_record={},
    )
    assert f"CHOSEN {RELEASES[0]} ENDS" in run.output, run.output
