# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is its own control node: the run that is repeated, and the programs on the host."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Optional

import jinja2
import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib.many_hosts import play, run_plays
from ansible_collections.oslab.kernel.tests.lib.playbook import LOCAL, run_playbook, write_inventory

ROLE = Path(__file__).resolve().parents[4] / "roles/trial"
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text())
RELEASE = "6.12.117-x"
BOOT = "11111111-2222-3333-4444-555555555555"
# A kernel that somebody has loaded is not what the boot loader chooses.
REBOOT = "without kexec: systemctl --no-ask-password reboot"


# --- the run ------------------------------------------------------------------------------------

REPEATED = """
- hosts: kernel_builders
  gather_facts: false
  tasks:
    - oslab.kernel.rerun_info:
      register: this_run
      no_log: true
    - ansible.builtin.copy:
        content: "{{ this_run.script }}"
        dest: "{{ work }}/script"
        mode: "0600"
      diff: false
    - ansible.builtin.shell: echo "{{ word }}" >>"{{ work }}/ran"
"""


def test_the_script_does_what_the_run_did(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(REPEATED)
    inventory = write_inventory(tmp_path / "hosts.yml")
    given = {"work": str(tmp_path), "word": "it is a secret"}
    run = run_playbook(play, "-vvv", inventory=inventory, variables=given)
    assert run.status == 0, run.output
    again = subprocess.run(
        ["sh", str(tmp_path / "script")],
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert (tmp_path / "ran").read_text() == "it is a secret\n" * 2


PREFLIGHT = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: oslab.kernel.trial, tasks_from: preflight}
"""
FACTS: dict[str, Any] = {
    "trial": None,
    "systemd": True,
    "kexec_reboots": False,
    "release": "6.1",
    "reboot_required": None,
    "essential_modules": [],
}


def refusal(*options: str, hosts: tuple[str, ...] = ("one",)) -> str:
    """What the preflight says about hosts that shall finish by themselves.

    Not from /tmp, which is refused.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        return _refusal(Path(directory), *options, hosts=hosts)


def _refusal(directory: Path, *options: str, hosts: tuple[str, ...]) -> str:
    play = directory / "play.yml"
    play.write_text(PREFLIGHT)
    known = {
        "install_host_facts": FACTS,
        "install_running": False,
        "install_missing": [],
        "install_release": RELEASE,
        "trial_finish_on_host": True,
    }
    targets = {"hosts": dict.fromkeys(hosts, LOCAL)}
    inventory = write_inventory(directory / "hosts.yml", kernel_targets=targets)
    run = run_playbook(play, *options, inventory=inventory, variables=known)
    assert run.status != 0
    return " ".join(run.output.split())


def test_a_run_that_cannot_be_repeated_is_refused() -> None:
    # A pipe would have no contents then; this stands for one.
    pipe = "/proc/self/cwd/inventories/local/hosts.yml"
    found = refusal("--inventory", pipe, "--limit", "one")
    assert "cannot be repeated without a person, as its inventory is not a file" in found
    assert "set trial_finish_on_host to false" in found


def test_other_targets_would_lose_the_run() -> None:
    assert "would end this run for 1 other targets" in refusal(hosts=("one", "two"))


def test_a_run_on_the_host_says_when_it_judges_the_kernel(tmp_path: Path) -> None:
    """What fails before is no fault of the kernel. A run of elsewhere records what it finds."""
    running = {
        **{"install_running": True, "install_release": RELEASE, "install_version": "1"},
        **{"install_host_facts": {**FACTS, "trial": RELEASE, "trial_confirmed": False}},
        **{"trial_boot_loader": {}, "install_record": {"confirmed": False}},
    }
    confirmed = {
        "install_record": {"confirmed": True},
        "install_host_facts": {**FACTS, "trial": RELEASE, "trial_confirmed": True},
    }
    hosts = {
        "judges": running,
        "judged": {**running, **confirmed},
        "elsewhere": {**running, "ansible_connection": "hostile", "hostile_answers": "{}"},
    }
    role = {"name": "oslab.kernel.trial", "rolespec_validate": False}
    mark = f"{tmp_path}/{{{{ inventory_hostname }}}}.judged"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {"trial_judged_file": mark}},
        {"ansible.builtin.include_role": role},
    ]
    said = run_plays(tmp_path, [play(list(hosts), tasks)], hosts)
    assert not any(one.failed for one in said.values()), said
    assert [path.stem for path in tmp_path.glob("*.judged")] == ["judges"]


# --- the programs -------------------------------------------------------------------------------


class Host:
    """The program, with a command in place of the run, and programs that only record."""

    def __init__(self, root: Path, needs_kexec: str = "") -> None:
        self.root = root
        self.outcome, self.confirmed = root / "outcome", root / "confirmed"
        self.log, self.lock, self.called = root / "log", root / "lock", root / "called"
        self.cmdline, self.boot_id = root / "cmdline", root / "boot_id"
        self.judged, self.uptime = root / "judged", root / "uptime"
        self.rerun = root / "finish/rerun"
        self.rerun.parent.mkdir()
        self.uptime.write_text("30.55 60.1\n")
        (root / "bin").mkdir()
        for name in ("wall", "sleep"):
            self.program(f"bin/{name}", f'echo {name} "$@" >>{self.called}')
        skips = "${SYSTEMCTL_SKIP_AUTO_KEXEC:+without kexec: }"
        self.program("bin/systemctl", f'echo "{skips}systemctl" "$@" >>{self.called}')
        self.program("bin/hostname", "echo laptop")
        variables = {
            "trial_outcome_file": self.outcome,
            "trial_log_file": self.log,
            "trial_confirmed_file": self.confirmed,
            "trial_verified_file": root / "verified",
            "trial_lock_file": self.lock,
            "trial_judged_file": self.judged,
            "trial_finish_dir": self.rerun.parent,
            "trial_rerun_program": self.rerun,
            "trial_report_file": "/report",
            "trial_timeout": 600,
            "trial_needs_kexec": needs_kexec,
        }
        later = jinja2.Template(VARS["trial_on_host_later"]).render(variables)
        variables["trial_on_host_later"] = later
        text = (ROLE / "templates/trial-on-host.j2").read_text()
        script = jinja2.Template(text, undefined=jinja2.StrictUndefined).render(variables)
        script = script.replace("PATH=", f"PATH={root}/bin:", 1)
        script = script.replace("/proc/cmdline", str(self.cmdline))
        script = script.replace("/proc/sys/kernel/random/boot_id", str(self.boot_id))
        script = script.replace("/proc/uptime", str(self.uptime))
        (root / "program").write_text(script)
        self.scheduled()
        self.boots(trial=False, boot=BOOT)

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def scheduled(self) -> None:
        self.outcome.write_text(f"{RELEASE} scheduled {BOOT}\n")

    def boots(self, trial: bool, boot: Optional[str] = None) -> None:
        self.cmdline.write_text(f"quiet{f' oslab.trial={RELEASE}' if trial else ''}\n")
        self.boot_id.write_text(f"{boot or 'another'}\n")

    def repeats(self, text: str) -> None:
        """The command of the run; nobody may execute a file on /var."""
        self.program("finish/rerun", text)
        self.rerun.chmod(0o600)

    def run(self, verb: str, status: int = 0) -> str:
        done = subprocess.run(
            ["sh", str(self.root / "program"), verb],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def calls(self) -> list[str]:
        return self.called.read_text().splitlines() if self.called.exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_reboot_is_announced_a_minute_before(host: Host) -> None:
    words = host.run("reboot")
    assert "laptop reboots in a minute" in words
    assert "systemctl stop oslab-trial-reboot" in words
    assert [call.split()[0] for call in host.calls() if " " in call] != []
    assert host.calls()[-2:] == ["sleep 60", REBOOT]
    assert any(call.startswith("wall laptop reboots") for call in host.calls())


def test_a_reboot_waits_for_a_run_that_began_meanwhile(host: Host) -> None:
    """It may be in the middle of apt."""
    ends = f'[ "$1" = 60 ] || [ "$(wc -l <{host.called})" -lt 5 ] || : >{host.lock}'
    host.program("bin/sleep", f'echo sleep "$@" >>{host.called}; {ends}')
    host.lock.write_text("{}")
    host.run("reboot")
    assert host.calls().count("sleep 10") == 2
    assert host.calls()[-1] == REBOOT


def test_no_reboot_if_that_run_stays_or_takes_the_trial_boot_back(host: Host) -> None:
    host.lock.write_text("{}")
    assert "does not reboot: another run works on it" in host.run("reboot", status=1)
    host.lock.write_text("")
    host.program("bin/sleep", f"rm -f {host.outcome}")
    assert "was taken back" in host.run("reboot")
    assert not any(call.startswith("systemctl") for call in host.calls())


def test_the_lock_of_a_run_that_was_killed_is_nobody_s(host: Host) -> None:
    host.boots(trial=True)
    tried = host.root / "tried"
    works = f"[ -e {tried} ] && touch {host.confirmed} && exit; touch {tried}"
    host.repeats(f"echo; {works}; echo x >{host.lock}; kill -9 $$")
    assert "is verified and confirmed" in host.run("finish")
    assert host.calls().count("sleep 20") == 1


def test_a_reboot_by_kexec(tmp_path: Path) -> None:
    host = Host(tmp_path, "GRUB cannot write its environment block")
    assert "The next systemctl kexec is the trial boot then" in host.run("reboot")
    assert host.calls()[-2:] == ["sleep 60", "systemctl --no-ask-password kexec"]
    assert host.run("status").startswith("The next systemctl kexec is the trial boot")


def test_a_confirmed_kernel(host: Host) -> None:
    host.boots(trial=True)
    host.repeats(f"umask; echo done; touch {host.confirmed}")
    assert "is verified and confirmed" in host.run("finish")
    assert "oslab-trial.service" not in json.dumps(host.calls())
    # The run has the usual mask: files that it makes have the modes that they always have.
    assert host.log.read_text() == "0022\ndone\n"
    assert host.log.stat().st_mode & 0o777 == 0o600
    assert not host.rerun.parent.exists()
    host.boots(trial=False)
    assert f"The kernel {RELEASE} was verified and confirmed on 20" in host.run("status")


def test_a_kernel_that_is_not_confirmed_is_left_at_once(host: Host) -> None:
    host.boots(trial=True)
    # The run has released its own lock.
    host.repeats(f"echo a check failed; touch {host.judged}; : >{host.lock}; exit 2")
    assert "is not confirmed (status 2)" in host.run("finish")
    assert host.calls()[-1] == "systemctl start --no-block oslab-trial.service"
    assert "sleep 20" not in host.calls()
    # Passwords of the run do not stay.
    assert not host.rerun.parent.exists()
    host.boots(trial=False)
    assert f"The kernel {RELEASE} was not confirmed" in host.run("status")


def test_a_run_that_judged_nothing_is_repeated(host: Host) -> None:
    """The repository, or a lock: it says nothing of the kernel."""
    host.boots(trial=True)
    tried = host.root / "tried"
    host.repeats(f"echo; [ -e {tried} ] && touch {host.confirmed} && exit; touch {tried}; exit 4")
    assert "is verified and confirmed" in host.run("finish")
    assert host.calls().count("sleep 20") == 1
    assert "has not judged the kernel (status 4). It is repeated" in host.log.read_text()


def test_it_is_not_repeated_when_the_rollback_timer_is_near(host: Host) -> None:
    host.boots(trial=True)
    host.repeats(f"echo 490.1 1 >{host.uptime}; exit 4")
    assert "is not confirmed (status 4)" in host.run("finish")
    assert "sleep 20" not in host.calls()
    assert host.calls()[-1] == "systemctl start --no-block oslab-trial.service"


def test_what_a_trial_boot_needs_is_removed_after_a_panic(host: Host) -> None:
    host.repeats("exit 1")
    # It is still to come.
    host.run("finish")
    assert host.rerun.exists()
    host.boots(trial=False)
    host.run("finish")
    assert not host.rerun.parent.exists()
    assert host.calls() == []


def test_a_kexec_is_recorded_right_before_it(tmp_path: Path) -> None:
    host = Host(tmp_path, "GRUB cannot write its environment block")
    record = f"cat {host.outcome} >>{host.root}/seen"
    host.program("bin/systemctl", record)
    host.program("bin/sleep", record)
    host.run("reboot")
    words = f"{RELEASE} scheduled {BOOT}\n{RELEASE} begun {BOOT}\n"
    assert (host.root / "seen").read_text() == words
    # It is refused: any other reboot boots the default.
    host.scheduled()
    host.program("bin/systemctl", "exit 1")
    host.run("reboot", status=1)
    assert host.outcome.read_text() == f"{RELEASE} scheduled {BOOT}\n"
    # Somebody stopped it, and rebooted.
    host.boots(trial=False)
    assert "did not come" in host.run("status")


@pytest.mark.parametrize("needs_kexec", ["", "GRUB cannot write its environment block"])
def test_a_trial_boot_that_a_person_starts_has_begun(tmp_path: Path, needs_kexec: str) -> None:
    host = Host(tmp_path, needs_kexec)
    host.boots(trial=True)
    host.repeats(f"cat {host.outcome}; touch {host.judged}; exit 2")
    host.run("finish")
    assert host.log.read_text() == f"{RELEASE} begun {BOOT}\n"
    host.boots(trial=False)
    assert "was not confirmed" in host.run("status")


def test_a_run_that_succeeds_and_confirms_nothing_is_no_confirmation(host: Host) -> None:
    host.boots(trial=True)
    host.repeats("exit 0")
    host.run("finish")
    assert host.calls()[-1] == "systemctl start --no-block oslab-trial.service"


def test_another_run_that_works_on_the_host_goes_on(host: Host) -> None:
    host.boots(trial=True)
    host.lock.write_text("{}")
    host.repeats("exit 2")
    assert "Another run works on this host" in host.run("finish")
    assert not any("oslab-trial.service" in call for call in host.calls())


def test_what_a_login_shows(host: Host) -> None:
    assert host.run("status") == f"The next boot is the trial boot of the kernel {RELEASE}.\n"
    host.boots(trial=True)
    assert f"This is the trial boot of the kernel {RELEASE}" in host.run("status")
    # A panic, or the rollback timer: nothing on the host could write that down.
    host.boots(trial=False)
    assert "was not confirmed" in host.run("status")
    host.outcome.unlink()
    assert host.run("status") == ""


def test_the_programs_are_on_the_root_file_system_and_removed() -> None:
    paths = {item["path"] for item in VARS["trial_finish_files"]}
    removed = set(VARS["trial_finish_paths"])
    others = ("{{ trial_earlier_rerun_program }}", "{{ trial_outcome_file }}")
    assert removed - paths == set(others)
    assert paths <= removed
    for name in ("trial_on_host_program", "trial_outcome_file"):
        assert VARS[name].startswith("/etc/")


def test_no_password_is_stored_in_etc() -> None:
    """Where a program may commit all files once a day."""
    assert VARS["trial_finish_dir"] == "{{ install_state_dir }}/finish"
    assert VARS["trial_rerun_program"].startswith("{{ trial_finish_dir }}/")
    (file,) = [one for one in VARS["trial_finish_files"] if "trial_rerun.script" in one["content"]]
    assert (file["path"], file["mode"]) == ("{{ trial_rerun_program }}", "0600")
    tasks = yaml.safe_load((ROLE / "tasks/finish_on_host/install.yml").read_text())
    assert tasks[0]["ansible.builtin.file"]["mode"] == "0700"
