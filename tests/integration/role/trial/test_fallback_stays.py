# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel to come back to stays, whatever apt takes for too old: a real apt is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: oslab.kernel.trial, tasks_from: lock}
    - ansible.builtin.copy:
        content: "{{ trial_apt_text }}"
        dest: "{{ there }}"
        mode: "0600"
"""
ROLE = Path(__file__).resolve().parents[4] / "roles/trial"
OLD, NEWER, OURS = "6.1.0-40-amd64", "6.1.0-41-amd64", "6.12.1-oslab1"
RULES = 'APT::VersionedKernelPackages { "linux-.*"; };\n'
FILE = "/etc/apt/apt.conf.d/oslab-kernel"


def package(name: str, version: str, more: str = "") -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
        f"Maintainer: nobody <nobody@example.org>\nSection: kernel\n{more}Description: x\n\n"
    )


def removed(root: Path, settings: str) -> set[str]:
    """What apt would remove of a host with a fallback, a newer kernel and ours."""
    for name in (
        "etc/apt/apt.conf.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt",
        "var/lib/dpkg",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    images = [("40", OLD), ("41", NEWER)]
    (root / "var/lib/dpkg/status").write_text(
        "".join(
            package(f"linux-{kind}-{release}", f"6.1.1{number}-1")
            for number, release in images
            for kind in ("image", "headers")
        )
        + package(
            "linux-image-amd64",
            "6.1.141-1",
            f"Depends: linux-image-{NEWER}, linux-headers-{NEWER}\n",
        )
        + package(f"linux-image-{OURS}", "6.12.1-oslab1.0123456789ab")
    )
    (root / "var/lib/apt/extended_states").write_text(
        "".join(
            f"Package: linux-{kind}-{release}\nArchitecture: amd64\nAuto-Installed: 1\n\n"
            for _number, release in images
            for kind in ("image", "headers")
        )
    )
    (root / "etc/apt/apt.conf.d/00rules").write_text(RULES)
    (root / "etc/apt/apt.conf.d/oslab-kernel").write_text(settings)
    config = root / "apt.conf"
    config.write_text(
        f'Dir "{root}";\nDir::State::status "{root}/var/lib/dpkg/status";\n'
        'APT::Architecture "amd64";\n'
    )
    output = subprocess.run(
        ["apt-get", "--simulate", "autoremove"],
        env={**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {line.split()[1] for line in output.splitlines() if line.startswith("Remv ")}


@pytest.mark.skipif(not shutil.which("apt-get"), reason="apt is not installed")
def test_apt_does_not_remove_what_ends_a_trial(
    tmp_path: Path, deploy: Callable[..., tuple[int, str]]
) -> None:
    play, there = tmp_path / "play.yml", tmp_path / "settings"
    play.write_text(PLAY)

    def settings(**known: Any) -> str:
        host = {"one": {"ansible_connection": "lossy", "lossy_at": "never"}}
        status, output = deploy(
            host,
            play,
            there=str(there),
            install_release=OURS,
            install_host_facts={"systemd": True, "files": {}},
            **known,
        )
        assert status == 0, output
        return there.read_text()

    known = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    assert known["trial_apt_file"] == FILE
    assert {
        "path": "{{ trial_apt_file }}",
        "mode": "0644",
        "content": "{{ trial_apt_text }}",
    } in known["trial_timer_files"]
    assert removed(tmp_path / "a", "") == {f"linux-{kind}-{OLD}" for kind in ("image", "headers")}
    assert removed(tmp_path / "b", settings(trial_fallback=OLD)) == set()
    # Nothing is said of others, and the list can be looked at before there is one.
    assert removed(tmp_path / "c", settings(trial_fallback="6.1.0-4")) != set()
    assert removed(tmp_path / "d", settings()) != set()
