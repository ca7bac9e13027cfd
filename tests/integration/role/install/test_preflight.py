# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles install and trial refuse, or report, before anything is changed."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
Deploy = Callable[..., "tuple[int, str]"]
HOST = {
    "container": False,
    "machine": "x86_64",
    "dpkg_architecture": "amd64",
    "secure_boot": False,
    "trusted_certificates": None,
    "trial": None,
    "boot_loader": "grub",
    "kexec_reboots": False,
    "reboot_required": None,
}


@pytest.fixture
def asked(tmp_path: Path, deploy: Deploy) -> Callable[..., str]:
    """What is said of a host that is like this."""

    def ask(tasks: str, host: dict[str, Any], **variables: Any) -> str:
        name, _colon, part = tasks.partition(":")
        role = {"name": f"oslab.kernel.{name}", "tasks_from": part}
        play = tmp_path / "play.yml"
        play.write_text(
            json.dumps(
                [
                    {
                        "hosts": "kernel_targets",
                        "gather_facts": False,
                        "tasks": [{"ansible.builtin.include_role": role}],
                    }
                ]
            )
        )
        known = {
            "install_host_facts": {**HOST, "time": int(time.time()), **host},
            "install_missing": [],
            "install_running": False,
            **variables,
        }
        _status, output = deploy({"one": None}, playbook=play, **known)
        return output

    return ask


@pytest.mark.parametrize(
    ("years", "tolerance", "refused"),
    [(0, 86400, False), (-10, 86400, True), (15, 86400, True), (15, 0, False)],
)
def test_a_clock_that_is_years_off(
    asked: Callable[..., str], years: int, tolerance: int, refused: bool
) -> None:
    now = int(time.time()) + years * 365 * 86400
    output = asked(
        "install:preflight/check_clock", {"time": now}, install_clock_tolerance=tolerance
    )
    assert ("one: the clock shows" in output) is refused
    assert ("failed=1" in output) is refused
    if refused:
        assert time.strftime("%Y-%m-%d %H:", time.gmtime(now)) in output


@pytest.mark.parametrize(
    ("wanted", "warned", "refused"),
    [("ignore", False, False), ("warn", True, False), ("refuse", True, True)],
)
def test_a_reboot_that_is_pending(
    asked: Callable[..., str], wanted: str, warned: bool, refused: bool
) -> None:
    host = {"reboot_required": ["libc6", "linux-base"]}
    output = asked("trial:preflight/check_pending_reboot", host, trial_pending_reboot=wanted)
    assert ("one already waits for a reboot (libc6, linux-base)." in output) is warned
    assert ("failed=1" in output) is refused
    assert "failed=0" in asked(
        "trial:preflight/check_pending_reboot", {}, trial_pending_reboot=wanted
    )


@pytest.mark.parametrize(
    ("essential", "running", "warned"),
    [(["dm_crypt", "ext4"], False, True), (["ext4"], False, False), (["dm_crypt"], True, False)],
)
def test_a_disk_that_somebody_unlocks(
    asked: Callable[..., str], essential: list[str], running: bool, warned: bool
) -> None:
    """Nothing ends a trial that waits for a passphrase."""
    output = asked(
        "trial:preflight/check_pending_reboot",
        {"essential_modules": essential},
        install_running=running,
        trial_release="6.2",
    )
    words = " ".join(output.split())
    assert ("one has an encrypted disk." in words) is warned
    assert "failed=0" in output


def test_systemd_boot_without_its_variables(asked: Callable[..., str]) -> None:
    """This machine has a GRUB or none; it is the loader that was seen before which is asked."""
    output = asked("trial:fallback/choose", {"boot_loader": "systemd-boot", "release": "6.1"})
    assert "does not tell which loader has started this kernel" in output
    assert "failed=1" in output


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"trial_problem": "/x is on lvm."}, "/x is on lvm"),
        ({"releases": ["6.0"]}, "6.1, has no entry of the-loader.* entries for 6.0. Run `make-it`"),
        (
            {"entry_problems": {"6.1": "GRUB would ask for a user name. Set GRUB_X=y."}},
            "one: 6.1: GRUB would ask for a user name. Set GRUB_X=y.",
        ),
        ({"default_problem": "/x.cfg sets GRUB_DEFAULT."}, "one: /x.cfg sets GRUB_DEFAULT."),
        ({"entry_problems": {}, "default_problem": ""}, ""),
        ({}, ""),
    ],
)
def test_a_loader_that_could_not_come_back(
    tmp_path: Path, deploy: Deploy, state: dict[str, Any], message: str
) -> None:
    """The check alone, with what the module would have answered."""
    tasks = yaml.safe_load((ROOT / "roles/trial/tasks/fallback/choose.yml").read_text())[1:]
    answer = {"releases": ["6.1", "6.0"], "trial_problem": "", "entry_command": "make-it"}
    play = tmp_path / "play.yml"
    play.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    _status, output = deploy(
        {"one": None},
        playbook=play,
        install_host_facts={**HOST, "release": "6.1"},
        trial_boot_loader={"loader": "the-loader", **answer, **state},
        trial_fallback_release="6.1",
        trial_release="6.2",
        trial_record={},
    )
    assert ("failed=1" in output) is bool(message), output
    assert re.search(message, output), output


def test_reboots_that_bypass_grub(asked: Callable[..., str]) -> None:
    output = asked(
        "trial:preflight", {"kexec_reboots": True}, install_running=True, install_release="6.2"
    )
    assert "one has kexec-tools, which starts /vmlinuz at each reboot" in output
    assert "failed=1" in output


def test_a_xen_host(asked: Callable[..., str]) -> None:
    output = asked("install:preflight/check_host", {"xen_dom0": True})
    assert "one is a Xen host (dom0)" in output
    assert "failed=1" in output


@pytest.mark.parametrize("there", [{}, {"linux-headers-6.2": "0"}], ids=["none", "older"])
@pytest.mark.parametrize(
    ("wanted", "headers", "message", "refused"),
    [
        ("require", [], "Or set install_dkms, which is 'require', to 'warn'", True),
        ("warn", [], "They are missing in the trial boot (install_dkms is 'warn')", False),
        ("ignore", [], "", False),
        ("require", ["linux-headers-6.2"], "", False),
    ],
)
def test_modules_of_dkms_without_headers(
    asked: Callable[..., str],
    wanted: str,
    headers: list[str],
    message: str,
    refused: bool,
    there: dict[str, str],
) -> None:
    dkms = {"dkms_modules": {"zfs/2.1": ["6.1"]}, "dkms_automatic": ["zfs/2.1"]}
    host = {"release": "6.1", "oslab_packages": there, "packages_held": []}
    packages = ["linux-image-6.2", *headers]
    output = asked(
        "install:preflight/check_dkms",
        {**dkms, **host, "initrd_program": "dracut"},
        install_dkms=wanted,
        install_release="6.2",
        install_version="1",
        install_packages=packages,
        install_missing=[f"{name}=1" for name in packages],
    )
    needs = "one builds zfs/2.1 by DKMS, which needs linux-headers-6.2 in this version. Set"
    # Lines are folded.
    words = " ".join(output.split())
    assert (needs in words) is bool(message), output
    assert message in words, output
    assert ("failed=1" in output) is refused, output
