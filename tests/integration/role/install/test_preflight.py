# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles install and trial refuse, or report, before anything is changed.

Each case is a host of one run.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.many_hosts import Said, play, run_plays

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
NOW = int(time.time())
YEAR = 365 * 86400
#: By a role's tasks, the hosts that are asked by them.
PARTS: dict[str, list[str]] = {}
#: By its name, the variables of each host.
HOSTS: dict[str, dict[str, Any]] = {}
Answers = dict[str, Said]


def asked(tasks: str, host: dict[str, Any], **variables: Any) -> str:
    """The name of a host that is like this and is asked by these tasks."""
    name = f"host{len(HOSTS) + 1}"
    HOSTS[name] = {
        "install_host_facts": {**HOST, "time": NOW, **host},
        "install_missing": [],
        "install_running": False,
        "publish_result": {"release": "no kernel", "version": "1"},
        **variables,
    }
    PARTS.setdefault(tasks, []).append(name)
    return name


def included(tasks: str) -> dict[str, Any]:
    role, _colon, part = tasks.partition(":")
    name = {"name": f"oslab.kernel.{role}", "tasks_from": part}
    return {"ansible.builtin.include_role": name}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    plays = [play(hosts, [included(tasks)]) for tasks, hosts in PARTS.items()]
    return run_plays(tmp_path_factory.mktemp("preflight"), plays, HOSTS)


def clock(years: int, tolerance: int) -> str:
    then = {"time": NOW + years * YEAR}
    return asked("install:preflight/check_clock", then, install_clock_tolerance=tolerance)


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        (clock(0, 86400), False),
        (clock(-10, 86400), True),
        (clock(15, 86400), True),
        (clock(15, 0), False),
    ],
)
def test_a_clock_that_is_years_off(answers: Answers, host: str, refused: bool) -> None:
    assert (f"{host}: the clock shows" in answers[host].text) is refused
    assert answers[host].failed is refused
    if refused:
        shown = time.gmtime(HOSTS[host]["install_host_facts"]["time"])
        assert time.strftime("%Y-%m-%d %H:", shown) in answers[host].text


def pending(wanted: str, *packages: str) -> str:
    waits = {"reboot_required": list(packages) or None}
    return asked("trial:preflight/check_pending_reboot", waits, trial_pending_reboot=wanted)


@pytest.mark.parametrize(
    ("host", "other", "warned", "refused"),
    [
        (pending("ignore", "libc6", "linux-base"), pending("ignore"), False, False),
        (pending("warn", "libc6", "linux-base"), pending("warn"), True, False),
        (pending("refuse", "libc6", "linux-base"), pending("refuse"), True, True),
    ],
)
def test_a_reboot_that_is_pending(
    answers: Answers, host: str, other: str, warned: bool, refused: bool
) -> None:
    message = f"{host} already waits for a reboot (libc6, linux-base)."
    assert (message in answers[host].text) is warned
    assert answers[host].failed is refused
    assert not answers[other].failed


def vouched(required: int, running: bool, **variables: Any) -> str:
    """A host that uses the role alone, without playbooks/deploy.yml."""
    build: dict[str, Any] = {"install_release": "6.12.1-x", "install_version": "1-1"}
    build["install_build_id"] = "1" * 64
    build["install_build_sha256"] = {"linux-image-6.12.1-x": "a" * 64}
    return asked(
        "install:packages/check_request",
        {},
        **build,
        install_required_rebuilds=required,
        install_running=running,
        **variables,
    )


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        (vouched(0, False), False),
        (vouched(1, False), True),
        (vouched(1, True), False),
    ],
)
def test_a_build_that_nobody_vouches_for(answers: Answers, host: str, refused: bool) -> None:
    assert answers[host].failed is refused
    assert (f"{host} asks for 1 known keys" in answers[host].text) is refused


def disk(modules: list[str], running: bool) -> str:
    return asked(
        "trial:preflight/check_pending_reboot",
        {"essential_modules": modules},
        install_running=running,
        trial_release="6.2",
    )


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        (disk(["dm_crypt", "ext4"], False), True),
        (disk(["ext4"], False), False),
        (disk(["dm_crypt"], True), False),
    ],
)
def test_a_disk_that_somebody_unlocks(answers: Answers, host: str, warned: bool) -> None:
    """Nothing ends a trial that waits for a passphrase."""
    assert (f"{host} has an encrypted disk." in answers[host].text) is warned
    assert not answers[host].failed


#: This machine has a GRUB or none; it is the loader that was seen before which is asked.
SYSTEMD_BOOT = asked("trial:fallback/choose", {"boot_loader": "systemd-boot", "release": "6.1"})


def test_systemd_boot_without_its_variables(answers: Answers) -> None:
    said = answers[SYSTEMD_BOOT]
    assert "does not tell which loader has started this kernel" in said.text
    assert said.failed


def loader(**state: Any) -> str:
    """A host whose module boot_entry answers this."""
    answer = {"releases": ["6.1", "6.0"], "trial_problem": "", "entry_command": "make-it", **state}
    return asked(
        "trial:fallback/choose",
        {"release": "6.1"},
        ansible_connection="hostile",
        hostile_answers=json.dumps({"boot_entry": {"loader": "the-loader", **answer}}),
        trial_fallback_release="6.1",
        trial_release="6.2",
        trial_record={},
    )


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (loader(trial_problem="/x is on lvm."), "/x is on lvm"),
        (
            loader(releases=["6.0"]),
            "6.1, has no entry of the-loader.* entries for 6.0. Run `make-it`",
        ),
        (
            loader(entry_problems={"6.1": "GRUB would ask for a user name. Set GRUB_X=y."}),
            "HOST: 6.1: GRUB would ask for a user name. Set GRUB_X=y.",
        ),
        (loader(default_problem="/x.cfg sets GRUB_DEFAULT."), "HOST: /x.cfg sets GRUB_DEFAULT."),
        (loader(entry_problems={}, default_problem=""), ""),
        (loader(), ""),
    ],
)
def test_a_loader_that_could_not_come_back(answers: Answers, host: str, message: str) -> None:
    said = answers[host]
    assert said.failed is bool(message), said.text
    assert re.search(message.replace("HOST", host), said.text), said.text


KEXEC = asked("trial:preflight", {"kexec_reboots": True}, install_running=True, install_release="6")


def test_reboots_that_bypass_grub(answers: Answers) -> None:
    said = answers[KEXEC]
    assert f"{KEXEC} has kexec-tools, which starts /vmlinuz at each reboot" in said.text
    assert said.failed


XEN = asked("install:preflight/check_host", {"xen_dom0": True})


def test_a_xen_host(answers: Answers) -> None:
    assert f"{XEN} is a Xen host (dom0)" in answers[XEN].text
    assert answers[XEN].failed


def dkms(wanted: str, *headers: str, **there: str) -> str:
    host = {
        "dkms_modules": {"zfs/2.1": ["6.1"]},
        "dkms_automatic": ["zfs/2.1"],
        "release": "6.1",
        "oslab_packages": {name.replace("_", "-"): version for name, version in there.items()},
        "packages_held": [],
        "initrd_program": "dracut",
    }
    packages = ["linux-image-62", *headers]
    return asked(
        "install:preflight/check_dkms",
        host,
        install_dkms=wanted,
        install_release="62",
        install_version="1",
        install_packages=packages,
        install_missing=[f"{name}=1" for name in packages],
    )


HEADERS = "linux-headers-62"
SET_IT = "Or set install_dkms, which is 'require', to 'warn'"
MISSING = "They are missing in the trial boot (install_dkms is 'warn')"
OLDER = {"linux_headers_62": "0"}


@pytest.mark.parametrize(
    ("host", "message", "refused"),
    [
        (dkms("require"), SET_IT, True),
        (dkms("require", **OLDER), SET_IT, True),
        (dkms("warn"), MISSING, False),
        (dkms("warn", **OLDER), MISSING, False),
        (dkms("ignore"), "", False),
        (dkms("ignore", **OLDER), "", False),
        (dkms("require", HEADERS), "", False),
        (dkms("require", HEADERS, **OLDER), "", False),
    ],
)
def test_modules_of_dkms_without_headers(
    answers: Answers, host: str, message: str, refused: bool
) -> None:
    said = answers[host]
    needs = f"{host} builds zfs/2.1 by DKMS, which needs {HEADERS} in this version. Set"
    assert (needs in said.text) is bool(message), said.text
    assert message in said.text, said.text
    assert said.failed is refused, said.text
