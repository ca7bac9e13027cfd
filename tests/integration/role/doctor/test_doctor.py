# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/doctor.yml: this machine is the builder, and targets answer what a test chooses."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import doctor_report
from ansible_collections.oslab.kernel.tests.lib.overlay_host import NotPossibleError, Overlay
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    LOCAL,
    ROOT,
    Run,
    run_playbook,
    write_inventory,
)

STOCK = "6.8.0-45-generic"
#: Of the module host_kernel_info, on a good host.
UBUNTU: dict[str, Any] = {
    **{"os_name": "Ubuntu 24.04.1 LTS", "os_id": "ubuntu", "os_version_id": "24.04"},
    **{"release": STOCK, "sysname": "Linux", "boot_id": "", "machine": "x86_64"},
    **{"dpkg_architecture": "amd64", "boot_loader": "grub", "efi": True, "secure_boot": False},
    **{"root_filesystem": "ext4", "root_device": "/dev/vda1"},
    **{name: [] for name in ("modules", "essential_modules", "oslab_releases", "watchdogs")},
    **{name: [] for name in ("packages_unfinished", "packages_held", "dkms_automatic")},
    **{name: {} for name in ("packages", "oslab_packages", "files", "dkms_modules")},
    **dict.fromkeys(("boot_separate", "kexec_reboots", "trial_confirmed"), False),
    **dict.fromkeys(("xen_dom0", "container"), False),
    **dict.fromkeys(("boot_config", "boot_config_sha256", "oslab", "install_record"), None),
    **dict.fromkeys(("trusted_certificates", "reboot_required", "loader_directory"), None),
    **dict.fromkeys(
        ("trial", "trial_report", "boots_default_kernel", "modules_as_wanted", "kernel_log"), None
    ),
    **{"health": None, "uptime": 100},
    **{"systemd": True, "systemd_version": 255, "initrd_program": "update-initramfs"},
    **{"boot_kernel_kib": 100_000, "loader_kernel_kib": 0},
    "free_kib": {"/boot": 4_000_000, "/": 4_000_000},
}
DEBIAN = {**UBUNTU, "os_name": "Debian GNU/Linux 12", "os_id": "debian", "os_version_id": "12"}
LOADER = {
    **{"loader": "grub", "releases": [STOCK, "6.8.0-40-generic"], "entry_problems": {}},
    **{"trial_problem": "", "default_problem": "", "entry_command": "update-grub"},
}
# The address leads nowhere.
GONE = {"ansible_connection": "lossy", "lossy_at": ""}

Doctor = Callable[..., Run]
Rows = dict[str, dict[str, tuple[str, str]]]


def target(facts: dict[str, Any], **answers: Any) -> dict[str, Any]:
    """Variables of a host that answers so."""
    of_modules = {
        "host_kernel_info": {"time": int(time.time()), **facts},
        "boot_entry": LOADER,
        "deploy_lock": {"held": False},
        **answers,
    }
    return {"ansible_connection": "hostile", "hostile_answers": json.dumps(of_modules)}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that has an index."""
    index = tmp_path / "www/dists/stable/InRelease"
    index.parent.mkdir(parents=True)
    index.touch()
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "www")
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def doctor(tmp_path: Path, file_source: dict[str, str]) -> Doctor:
    """Run the playbook with these targets, and with this machine as builder if none is given."""

    def run(
        targets: dict[str, Any],
        *options: str,
        builder: Optional[dict[str, Any]] = None,
        **variables: Any,
    ) -> Run:
        inventory = write_inventory(
            tmp_path / "hosts.json",
            kernel_builders={"hosts": {"builder": builder}},
            kernel_targets={"hosts": targets},
        )
        more = {
            **file_source,
            "source_workdir": str(tmp_path / "work"),
            # Not there, and short enough for the socket of gpg-agent.
            "publish_root": "/srv/oslab-doctor-test",
            "dependencies_packages": ["dpkg"],
            "build_min_free_gib": 0,
            **variables,
        }
        return run_playbook(
            ROOT / "playbooks/doctor.yml",
            *options,
            inventory=inventory,
            variables=more,
            ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        )

    return run


def published(url: str) -> dict[str, Any]:
    result = {"release": "6.12.0-x", "version": "1", "installed_size_kib": 1000}
    return {"publish_result": result, "publish_repository_url": url}


def rows(output: str) -> Rows:
    """By `HOST (PART)` and check, the result and the detail. All lines have at most 100 columns."""
    lines = output.splitlines()
    start = next(n for n, line in enumerate(lines) if re.match(r"check +\| result \| detail", line))
    end = next(n for n, line in enumerate(lines) if n > start + 1 and line.startswith("====="))
    assert max(map(len, lines[start : end + 2])) <= 100
    assert all(line.isprintable() for line in lines[start : end + 2])
    found: Rows = {}
    host = check = ""
    for line in lines[start + 2 : end]:
        cells = [cell.strip() for cell in line.split("|", 2)]
        if len(cells) == 1:
            host = cells[0]
            found[host] = {}
        elif cells[0]:
            check = cells[0]
            found[host][check] = (cells[1], cells[2])
        else:
            result, detail = found[host][check]
            found[host][check] = (result, f"{detail} {cells[2]}")
    return found


def results(of_host: dict[str, tuple[str, str]], result: str) -> list[str]:
    return [check for check, row in of_host.items() if row[0] == result]


@pytest.mark.parametrize("options", [[], ["--check"]], ids=["run", "check"])
def test_good_hosts(doctor: Doctor, repository: str, tmp_path: Path, options: list[str]) -> None:
    targets = {"noble": target(UBUNTU), "bookworm": target(DEBIAN)}
    before = sorted(tmp_path.rglob("*"))
    run = doctor(targets, *options, **published(repository))
    assert run.status == 0, run.output
    assert run.recap("changed") == 0
    assert len(re.findall(r"\bchanged=0\b", run.output)) == 4
    found = rows(run.output)
    assert list(found) == ["builder (builder)", "noble (target)", "bookworm (target)"]
    for host, of_host in found.items():
        part = host.split("(")[1].rstrip(")")
        assert list(of_host) == list(doctor_report.CHECKS[part])
        assert results(of_host, "PASS") == list(of_host), host
    assert "believed to work, not tested" in found["noble (target)"]["distribution"][1]
    assert found["bookworm (target)"]["distribution"][1] == "debian-12: tested"
    assert re.search(r"^oslab\.kernel \S+, ansible-core \S+, Python \S+$", run.output, re.M)
    machine = " ".join(run.output.split())
    assert f"noble: Ubuntu 24.04.1 LTS; kernel {STOCK}; x86_64 (amd64); UEFI, Secure" in machine
    # Nothing was written on the builder, which is this machine.
    made = set(tmp_path.rglob("*")) - {*before, tmp_path / "hosts.json"}
    assert made == set()


def test_every_fault_is_shown_and_no_other_host_suffers(
    doctor: Doctor, repository: str, tmp_path: Path
) -> None:
    lock = {"by": {"run": "elsewhere 1 1", "text": "Ada elsewhere", "seconds": 100}}
    bad = target(
        {
            **UBUNTU,
            **{"os_version_id": "25.10", "machine": "aarch64", "time": 1_000_000_000},
            **{"reboot_required": ["libc6"], "kexec_reboots": True, "secure_boot": True},
            **{"free_kib": {"/boot": 1000, "/": 4_000_000}, "trial": "6.9"},
        },
        boot_entry={**LOADER, "trial_problem": "/boot/grub/grubenv is on lvm. Move it."},
        deploy_lock=lock,
    )
    run = doctor(
        {"bad": bad, "gone": GONE, "good": target(UBUNTU)},
        trial_pending_reboot="refuse",
        source_file=str(tmp_path / "not-there.tar.xz"),
        dependencies_packages=["dpkg", "no-such-package"],
        build_min_free_gib=1_000_000,
        publish_server_user="nobody-of-this-name",
        **published(repository),
    )
    assert run.status != 0
    found = rows(run.output)
    faults = {
        "bad (target)": {
            "distribution": "bad runs ubuntu-25.10.",
            "architecture": "bad is aarch64 with packages for amd64",
            "Secure Boot": "build_image_signing_key",
            "boot loader": "/boot/grub/grubenv is on lvm. Move it.",
            "kexec-tools": "Set LOAD_KEXEC=false",
            "trial boot": "bad is in an unconfirmed trial boot of 6.9",
            "free space": "bad: /boot has 0 MiB free",
            "clock": "Set the clock, and check that chrony",
            "pending reboot": "bad already waits for a reboot (libc6)",
            "deployment lock": "the deployment lock is held by Ada elsewhere",
        },
        "builder (builder)": {
            "packages": "no-such-package",
            "free space": "(build_min_free_gib)",
            "source": "not-there.tar.xz",
            "repository": "nobody-of-this-name",
        },
        "gone (target)": {"answers": "Run `ansible gone -m ping`"},
        "good (target)": {},
    }
    for host, of_host in faults.items():
        assert results(found[host], "FAIL") == list(of_host), host
        for check, words in of_host.items():
            assert words in found[host][check][1], (host, check)
    assert results(found["gone (target)"], "PASS") == []
    assert re.search(r"\b15 of \d+ checks failed", run.output)


def test_hosts_that_cannot_be_checked(doctor: Doctor) -> None:
    """They do not answer, are lost, let nobody become root, or answer nonsense."""
    lost = {**target(UBUNTU), "ansible_connection": "lossy", "lossy_at": "host_kernel_info"}
    closed = {**target(UBUNTU), "ansible_become_exe": "/bin/false", "ansible_become_user": "mail"}
    evil = target(UBUNTU, host_kernel_info={"failed": True, "msg": "\x1b[2J\u202e\nPASS | x"})
    targets = {"lost": lost, "closed": closed, "evil": evil, "good": target(UBUNTU)}
    run = doctor(targets, builder=GONE, **published("http://bob:s3cret@127.0.0.1:9"))
    assert run.status != 0
    found = rows(run.output)
    assert results(found["builder (builder)"], "FAIL") == ["answers"]
    assert results(found["lost (target)"], "FAIL") == ["answers"]
    assert "lost was lost before its checks ended" in found["lost (target)"]["answers"][1]
    assert results(found["closed (target)"], "FAIL") == ["root"]
    assert "closed: become does not lead to root" in found["closed (target)"]["root"][1]
    assert results(found["closed (target)"], "PASS") == ["answers"]
    assert results(found["evil (target)"], "FAIL") == ["host facts", "repository"]
    assert "\\x1b[2J" in found["evil (target)"]["host facts"][1]
    # The rest of the run went on, and the address is shown without its password.
    assert results(found["good (target)"], "FAIL") == ["repository"]
    wrong = found["good (target)"]["repository"][1]
    assert "good cannot fetch http://127.0.0.1:9/dists/stable" in wrong
    assert "s3cret" not in run.output[run.output.index("| result | detail") :]


def test_hosts_that_pull(tmp_path: Path) -> None:
    """They have no builder: what is installed is what the repository describes."""
    found = {
        **{"release": "6.12.0-x", "version": "1", "installed_size_kib": 1000, "build_id": "a" * 64},
        **{"packages": {}, "manifest": {}, "files": {}, "suite": "stable", "component": "main"},
    }
    pulled = {"state": "waiting", "goes_on": False, "reason": "later", "description": found}
    refused = "http://127.0.0.1:9/oslab-kernel.json.asc is refused: signed by another key"
    answers = {
        "good": {"changed": False, "public_key": "x", "place": 1, "files_path": "", **pulled},
        "refused": {"failed": True, "msg": refused},
    }
    hosts = {name: target(DEBIAN, pull_info=answer) for name, answer in answers.items()}
    hosts["keyless"] = {**target(DEBIAN), "pull_repository_key": "/not/there.asc"}
    settings = {"pull_repository_key": "BEGIN PGP", "pull_repository_url": "http://127.0.0.1:9"}
    # Without the group of the builders.
    groups = {"all": {"vars": LOCAL}, "kernel_targets": {"hosts": hosts, "vars": settings}}
    (tmp_path / "hosts.json").write_text(json.dumps(groups))
    run = run_playbook(
        ROOT / "playbooks/doctor.yml",
        inventory=tmp_path / "hosts.json",
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
    )
    assert run.status != 0
    assert run.recap("changed") == 0
    table = rows(run.output)
    assert list(table) == [f"{name} (target)" for name in hosts]
    for name in hosts:
        of_host = table[f"{name} (target)"]
        assert list(of_host) == list(doctor_report.CHECKS["target"])
        assert results(of_host, "FAIL") == ([] if name == "good" else ["repository"]), name
        assert len(results(of_host, "PASS")) >= len(of_host) - 1, name
    assert table["refused (target)"]["repository"][1] == refused
    problem = table["keyless (target)"]["repository"][1]
    assert "has to be the repository's http or https address" in problem


def test_the_files_of_an_ubuntu(tmp_path: Path) -> None:
    """The real module, on this machine with another /etc/os-release."""
    try:
        host = Overlay(tmp_path)
    except NotPossibleError as error:
        pytest.skip(str(error))
    try:
        (host.root / "etc/os-release").unlink(missing_ok=True)
        host.write(
            "etc/os-release",
            'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\nVERSION_ID="22.04"\n',
        )
        facts = host.module("host_kernel_info", check=True)
    finally:
        host.close()
    assert doctor_report.machine(facts).startswith("Ubuntu 22.04.5 LTS; kernel ")
    known: dict[str, dict[str, list[str]]] = {"ubuntu-22.04": {"tested": []}}
    assert doctor_report.distribution("jammy", "target", facts, known)[0] is True
