# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/remove.yml and the record that stands on the host."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib.private_apt import PrivateApt

ROOT = Path(__file__).resolve().parents[4]

MENU = ROOT / "tests/unit/plugins/module_utils/_boot/grub/grub_cfg/debian-13.cfg"
OURS = "6.12.0-oslab1.0123456789ab"
IMAGE, HEADERS, TOOLS = "linux-image-6.12.0-x", "linux-headers-6.12.0-x", "oslab-kernel-tools"
LIBC = "linux-libc-dev"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "is not a JSON object"),
        ('{"directories": 7}', "directories is 7 and has to be a list"),
        ('{"packages": {"linux-libc-dev": ["1"]}}', "packages is"),
    ],
)
def test_a_record_that_cannot_be_used(
    tmp_path: Path, playbook: Callable[..., Any], text: str, message: str
) -> None:
    baseline = tmp_path / "origin.json"
    baseline.write_text(text)
    play = tmp_path / "play.yml"
    role = {"name": "oslab.kernel.remove"}
    tasks = [{"ansible.builtin.include_role": role}]
    play.write_text(
        json.dumps([{"hosts": "kernel_builders", "gather_facts": False, "tasks": tasks}])
    )
    # This machine has nothing of ours; nothing is changed in any case.
    run = playbook(
        str(play), "--check", install_baseline_file=str(baseline), install_release="6.12"
    )
    assert run.recap("failed") == 1
    words = " ".join(run.output.split())
    assert f"builder: {baseline} " in words
    assert message in words
    assert "Traceback" not in run.output
    assert "filter" not in run.output


# --- a host's packages --------------------------------------------------------------------------

# grub-editenv keeps more than this; update-grub notes that it ran, or fails.
PROGRAMS = {
    "grub-probe": "case $1 in *fs) echo ext2;; esac",
    "grub-editenv": 'file=$1\ncase $2 in set) echo "$3" >> "$file";; create) : > "$file";; '
    'unset) sed -i "/^$3=/d" "$file";; esac',
    "update-grub": 'echo made >> "$HOST/update-grub.log"\n[ ! -e "$HOST/update-grub.broken" ]',
}


@dataclass
class Host:
    """This machine, with packages, an archive, files and a boot loader in a directory."""

    work: Path
    apt: PrivateApt
    playbook: Callable[..., Any]
    baseline: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        return self.work / "host" / name

    @property
    def source(self) -> Path:
        return self.apt.root / "etc/apt/sources.list.d/oslab-kernel.sources"

    def prepare(self, *packages: str, **baseline: Any) -> None:
        """Install these packages of ours, and write the record of the baseline."""
        ours = [name if "=" in name else f"{name}={OURS}" for name in packages]
        self.apt.archive("ours", *ours, source=self.source)
        self.apt.install(*(name.partition("<")[0] for name in ours))
        self.baseline = {"names": ["libc6"], "packages": {}, "saved_entry": "", **baseline}
        self.path("state").mkdir(parents=True)
        self.path("state/origin.json").write_text(json.dumps(self.baseline))
        self.path("grub.d").mkdir()
        self.path("grub.d/oslab-kernel.cfg").write_text("GRUB_DEFAULT=saved\n")
        self.path("rollback_timer").mkdir()
        self.path("rollback_timer/program").write_text("x")
        shutil.copy(MENU, self.path("grub.cfg"))
        self.path("grubenv").write_text(f"saved_entry={STOCK}\n")

    def remove(self, *options: str, **more: Any) -> Any:
        play = self.work / "play.yml"
        role = {"name": "oslab.kernel.remove"}
        files = {
            "config": str(self.path("grub.cfg")),
            "environment": str(self.path("grubenv")),
            "custom": str(self.path("custom.cfg")),
            "settings": str(self.path("default/grub")),
            "flush": False,
        }
        defaults = {
            "oslab.kernel.boot_entry": {"loader": "grub", **files},
        }
        play.write_text(
            json.dumps(
                [
                    {
                        "hosts": "kernel_builders",
                        "gather_facts": False,
                        "module_defaults": defaults,
                        "tasks": [{"ansible.builtin.include_role": role}],
                    }
                ]
            )
        )
        settings = {
            "install_release": "6.12.0-x",
            "install_state_dir": str(self.path("state")),
            "install_source_file": str(self.source),
            "install_preferences_file": str(self.apt.root / "etc/apt/preferences.d/00-oslab"),
            "trial_grub_file": str(self.path("grub.d/oslab-kernel.cfg")),
            "trial_rollback_program": str(self.path("rollback_timer/program")),
            "trial_timer_paths": [str(self.path("rollback_timer/program"))],
            "trial_finish_paths": [str(self.path("finish/program"))],
            "trial_log_file": str(self.path("trial.log")),
            "install_lock_timeout": 1,
        }
        run = self.playbook(str(play), *options, **{**settings, **more})
        run.words = " ".join(run.output.split())
        return run

    def left(self) -> list[str]:
        """What of ours is there beside packages."""
        names = ("state/origin.json", "grub.d/oslab-kernel.cfg", "rollback_timer/program")
        there = [name for name in names if self.path(name).exists()]
        return there + (["source"] if self.source.exists() else [])

    def saved(self) -> str:
        # The last line counts, as grub-editenv above adds one.
        found = re.findall("^saved_entry=(.*)$", self.path("grubenv").read_text(), re.M)
        return "".join(found[-1:])


def _ids() -> list[str]:
    """Of the entries of the menu, by their submenu, as in the configuration."""
    from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import parse_menu

    return [entry.path for entry in parse_menu(MENU.read_text()).entries if entry.normal]


STOCK, OTHER = _ids()[-1], _ids()[0]
STOCK_RELEASE, OTHER_RELEASE = (
    re.findall("gnulinux-([^>]+)-advanced-", entry)[-1] for entry in (STOCK, OTHER)
)


@pytest.fixture
def host(tmp_path: Path, playbook: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Host:
    for program in ("dpkg-scanpackages", "apt-get", "dpkg-deb"):
        if not shutil.which(program):
            pytest.skip(f"no {program} here")
    apt = PrivateApt(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in PROGRAMS.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    found = Host(tmp_path, apt, playbook)
    found.path("").mkdir()
    monkeypatch.setenv("PATH", f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("HOST", str(found.path("")))
    for name, value in apt.environment.items():
        monkeypatch.setenv(name, value)
    apt.archive("debian", "libc6=2.36")
    apt.install("libc6")
    return found


def replaced(host: Host, *archive: str) -> None:
    """Ours have replaced linux-libc-dev 6.1.5-1; the archive has these by now."""
    host.apt.archive("debian", "libc6=2.36", f"{LIBC}=6.1.5-1")
    host.apt.install(LIBC)
    host.prepare(IMAGE, HEADERS, LIBC, packages={LIBC: "6.1.5-1"})
    host.apt.archive("debian", "libc6=2.36", *archive)


def test_everything_goes_and_a_second_run_changes_nothing(host: Host) -> None:
    replaced(host, f"{LIBC}=6.1.5-1", f"{LIBC}=6.1.6-1")
    check = host.remove("--check")
    assert (check.status, len(host.left())) == (0, 4), check.output
    run = host.remove()
    assert run.status == 0, run.output
    assert host.apt.installed() == {"libc6": "2.36", LIBC: "6.1.5-1"}
    assert (host.left(), host.saved()) == ([], "")
    again = host.remove()
    assert (again.status, again.recap("changed")) == (0, 0), again.output


def test_the_archive_has_a_newer_version_by_now(host: Host) -> None:
    replaced(host, f"{LIBC}=6.1.6-1", f"{LIBC}=6.1.4-1")
    run = host.remove()
    assert run.status == 0, run.output
    assert host.apt.installed() == {"libc6": "2.36", LIBC: "6.1.6-1"}
    assert host.left() == []
    assert f"{LIBC} was 6.1.5-1 and is 6.1.6-1 now" in run.words
    assert host.remove().recap("changed") == 0


@pytest.mark.long
def test_an_archive_that_lacks_a_package_stops_nothing_else(host: Host) -> None:
    replaced(host)
    run = host.remove()
    assert run.status != 0
    assert host.apt.installed() == {"libc6": "2.36", LIBC: OURS}
    # The record is needed by the next run.
    assert host.left() == ["state/origin.json"]
    assert f"{LIBC} (6.1.5-1)" in run.words
    assert "Traceback" not in run.output
    host.apt.archive("debian", "libc6=2.36", f"{LIBC}=6.1.6-1")
    run = host.remove()
    assert run.status == 0, run.output
    assert host.apt.installed() == {"libc6": "2.36", LIBC: "6.1.6-1"}
    assert host.left() == []


def test_a_purge_that_fails_leaves_the_kernel_its_default(host: Host) -> None:
    """Although what the kernel's packages had replaced is put back afterwards."""
    replaced(host, f"{LIBC}=6.1.5-1")
    # dpkg finds no shell in the directory to run it with.
    script = host.apt.root / f"var/lib/dpkg/info/{IMAGE}.prerm"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    run = host.remove()
    assert run.status != 0
    assert host.apt.installed()[LIBC] == "6.1.5-1"
    assert IMAGE in host.apt.installed()
    assert host.left() == ["state/origin.json", "grub.d/oslab-kernel.cfg"]
    assert host.saved() == STOCK
    # Its modules, too.
    assert "(item=6.12.0-x)" not in run.output
    assert "As a kernel of this collection stays" in run.words
    script.unlink()
    run = host.remove()
    assert run.status == 0, run.output
    assert (host.left(), host.saved()) == ([], "")


def ours_is_the_default(host: Host) -> str:
    """While this machine's kernel runs; the entry of that."""
    host.prepare(IMAGE)
    menu = MENU.read_text().replace(STOCK_RELEASE, os.uname().release)
    host.path("grub.cfg").write_text(menu.replace(OTHER_RELEASE, "6.12.0-x"))
    ours = OTHER.replace(OTHER_RELEASE, "6.12.0-x")
    host.path("grubenv").write_text(f"saved_entry={ours}\n")
    host.path("default/grub.d").mkdir(parents=True)
    host.path("default/grub.d/oslab-kernel.cfg").write_text("GRUB_DEFAULT=saved\n")
    return STOCK.replace(STOCK_RELEASE, os.uname().release)


def test_no_kernel_that_is_removed_is_the_default(host: Host) -> None:
    """The stock kernel may run without anybody having confirmed it, as after a reset."""
    running = ours_is_the_default(host)
    script = host.apt.root / f"var/lib/dpkg/info/{IMAGE}.prerm"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    run = host.remove()
    assert run.status != 0
    assert "is the default of the boot loader" not in run.words
    assert IMAGE in host.apt.installed()
    assert host.saved() == running
    script.unlink()
    run = host.remove()
    assert run.status == 0, run.output
    assert host.remove().recap("changed") == 0


def test_a_kernel_that_stays_the_default_is_not_removed(host: Host) -> None:
    ours_is_the_default(host)
    (host.work / "bin/grub-editenv").write_text("#!/bin/sh\nexit 1\n")
    run = host.remove()
    assert run.status != 0
    assert "6.12.0-x is the default of the boot loader, which could not be set to" in run.words
    assert IMAGE in host.apt.installed()


def test_who_has_configured_the_boot_loader_decides(host: Host) -> None:
    ours_is_the_default(host)
    host.path("default/grub.d/zz-mine.cfg").write_text("GRUB_DEFAULT=0\n")
    menu = host.path("grub.cfg").read_text().replace("${saved_entry}", "0")
    host.path("grub.cfg").write_text(menu)
    run = host.remove()
    assert run.status == 0, run.output
    assert IMAGE not in host.apt.installed()


def test_a_trial_boot_that_is_to_come_is_cancelled(host: Host) -> None:
    """If the kernel stays, nothing would end it: its rollback timer is gone."""
    host.prepare(IMAGE)
    script = host.apt.root / f"var/lib/dpkg/info/{IMAGE}.prerm"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    host.path("grubenv").write_text(f"saved_entry={STOCK}\nnext_entry={STOCK}\n")
    assert host.remove().status != 0
    assert IMAGE in host.apt.installed()
    assert "next_entry" not in host.path("grubenv").read_text()
    assert host.saved() == STOCK


def test_a_package_that_is_not_ours_is_not_removed(host: Host) -> None:
    host.apt.archive("debian", "libc6=2.36", f"meta=1<{IMAGE}", f"either=1<{HEADERS}|{TOOLS}")
    host.prepare(IMAGE, HEADERS, TOOLS)
    host.apt.install("meta", "either")
    run = host.remove()
    assert run.status != 0
    there = host.apt.installed()
    assert {"meta", "either", IMAGE} <= there.keys()
    # One of those that the other package needs is enough.
    assert len({HEADERS, TOOLS} & there.keys()) == 1
    assert f"{IMAGE} (meta" in run.words
    assert "Traceback" not in run.output
    # A kernel of ours stays, so the other one stays the default.
    assert host.left() == ["state/origin.json", "grub.d/oslab-kernel.cfg"]
    assert host.saved() == STOCK
    host.apt._run("dpkg", "--remove", "meta", "either")
    run = host.remove()
    assert run.status == 0, run.output
    assert (host.apt.installed(), host.left()) == ({"libc6": "2.36"}, [])


@pytest.mark.long
def test_a_compiler_keeps_the_headers_that_it_needs(host: Host) -> None:
    """They were not there before, and the distribution has its own."""
    host.apt.archive("debian", "libc6=2.36", f"libc6-dev=2.36<{LIBC}", f"{LIBC}=6.1.6-1")
    host.prepare(IMAGE, LIBC)
    host.apt.install("libc6-dev")
    run = host.remove()
    assert run.status == 0, run.output
    assert host.apt.installed() == {"libc6": "2.36", "libc6-dev": "2.36", LIBC: "6.1.6-1"}
    assert host.left() == []


@pytest.mark.long
def test_what_came_with_ours_goes_and_takes_nothing_along(host: Host) -> None:
    host.apt.archive("debian", "libc6=2.36", "zlib=1", "lib=1")
    host.prepare(f"{IMAGE}={OURS}<zlib, lib")
    # Nobody's request, there before, and needs what came with ours since its last update.
    host.apt.archive("debian", "libc6=2.36", "zlib=1", "lib=1", "old=2<lib")
    host.apt.install("old")
    # The user's since, and needed by nobody now.
    host.apt.archive("debian", "libc6=2.36", "zlib=1", "lib=1", "old=2<lib", "later=1")
    host.apt.install("later")
    host.apt._run("apt-mark", "auto", "old", "later")
    baseline = {**host.baseline, "names": ["libc6", "old"], "brought": ["lib", "zlib"]}
    host.path("state/origin.json").write_text(json.dumps(baseline))
    run = host.remove()
    assert run.status == 0, run.output
    assert host.apt.installed() == {"libc6": "2.36", "old": "2", "lib": "1", "later": "1"}


def test_a_failing_update_of_grub_stops_nothing_else(host: Host) -> None:
    host.prepare(IMAGE)
    host.path("update-grub.broken").touch()
    run = host.remove()
    assert run.status != 0
    assert "update-grub" in run.words
    assert host.apt.installed() == {"libc6": "2.36"}
    assert host.left() == ["state/origin.json"]
    # The menu still has it that the saved entry is booted.
    assert host.saved() == STOCK
    host.path("update-grub.broken").unlink()
    run = host.remove()
    assert run.status == 0, run.output
    assert (host.left(), host.saved()) == ([], "")


@pytest.mark.long
def test_apts_lock_stops_nothing_else(host: Host) -> None:
    host.prepare(IMAGE)
    with (host.apt.root / "var/lib/dpkg/lock-frontend").open("a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        run = host.remove()
    assert run.status != 0
    assert "lock" in run.words
    assert host.left() == ["state/origin.json", "grub.d/oslab-kernel.cfg"]
    assert (host.apt.installed()[IMAGE], host.saved()) == (OURS, STOCK)


@pytest.mark.long
@pytest.mark.parametrize("there", [True, False])
def test_the_default_of_before(host: Host, there: bool) -> None:
    entry = OTHER if there else "my own entry"
    host.prepare(IMAGE, saved_entry=entry)
    run = host.remove()
    assert run.status == 0, run.output
    assert host.saved() == (OTHER if there else STOCK)
    assert ("'my own entry'" in run.words) is not there
    assert host.left() == []


@pytest.mark.long
def test_an_own_directory_that_was_there_stays(host: Host) -> None:
    host.prepare(IMAGE, directories=[str(host.path("rollback_timer"))])
    for _ in range(2):
        run = host.remove()
        assert run.status == 0, run.output
        assert host.path("grub.d").is_dir()
        assert not host.path("rollback_timer").exists()
